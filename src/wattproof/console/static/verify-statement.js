// Checks a settlement statement with its proofs ("wattproof-settlement/1") in the browser.
//
// The same steps in the same order, with the same names and the same outcome, as the Python in
// wattproof/settlement/statement_bundle.py; the proofs in it are checked by verify.js. Amounts
// beyond 2^53, which JSON in a browser cannot hold, do not pass here.

import { Refusal, decodeText, encodeText, equal, need, sha256, toHex, verifyProof } from "./verify.js";

export const MAX_BUNDLE_BYTES = 24 << 20;

const BUNDLE_FORMAT = "wattproof-settlement/1";
const STATEMENT_FORMAT = "wattproof-settlement-statement-1";
const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;
const MAX_DAYS = 3 * 366;
const LAST_S = 7_258_118_399;
const MAX_LISTED = 10_000;
const UG_PER_G = 1_000_000n;

const VERDICT_WORDS = {
  positive: ["positive", "正值"],
  neutral: ["neutral", "零值"],
  negative: ["negative", "负值"],
};
const STEP_WORDS = { hour: "小时", day: "日", month: "月" };

/** What the steps of a statement are about; those of its filing's proof stand between the first two. */
export const STATEMENT_STEPS = [
  ["bundle", "Statement and proofs", "结算单及证明",
    "The file holds a statement of a region and two proofs, in one exact form.",
    "文件含一份地区结算单和两份证明，只有一种写法。"],
  ["filing", "Filing", "入账",
    "The proven transaction files a statement of this region, for this period, on this ledger.",
    "所证交易为该地区本期结算单在本账本入账。"],
  ["digest", "Digest", "摘要",
    "The digest that was signed and filed is that of these very bytes.",
    "签名入账的摘要正是这些字节的摘要。"],
  ["sums", "Sums", "合计",
    "The ledger's rules take a filing only if its sums are those of the region's trades.",
    "账本规则仅接受与地区交易合计一致的入账。"],
  ["region", "Region", "地区",
    "Tolerance, clock and factors are those with which the region was defined on this ledger.",
    "容差、时钟与因子均为该地区在本账本设立时所定。"],
  ["rows", "Rows", "明细行",
    "Every row follows from its own figures, and together they are the whole.",
    "每行数字相互印证，合计即为总数。"],
  ["net", "Net value", "净值",
    "Supplied less consumed, and what that says.", "供电减用电，及其判定。"],
  ["emissions", "Emissions", "排放",
    "Energy times the factors that the statement names.", "电量乘以结算单所载因子。"],
  ["differences", "Differences", "差异",
    "Meters of which more or less was reported than settled.", "上报与结算不符的表计。"],
];

/** Whether a file calls itself a statement with its proofs, right or wrong. */
export function isBundle(data) {
  const file = parsed(data);
  return file !== null && typeof file === "object" && file.format === BUNDLE_FORMAT;
}

function parsed(data) {
  try {
    return JSON.parse(typeof data === "string" ? data : decodeText(data));
  } catch {
    return null;
  }
}

// ---- the form -----------------------------------------------------------------------------------

const isWhole = Number.isSafeInteger;
const isShown = (value) =>
  typeof value === "string" && [...value].length <= 128 && /^(?:[^\p{C}\p{Z}]| )*$/u.test(value);
const isOf = (...values) => (value) => values.includes(value);
const isVerdict = isOf("positive", "neutral", "negative");
const eachOf = (spec) => (value) => Array.isArray(value) && value.every((item) => fits(item, spec));

const ROW = {
  consumed_wh: isWhole, end_s: isWhole, net_wh: isWhole, start_s: isWhole, supplied_wh: isWhole,
  verdict: isVerdict,
};
const DIFFERENCE = {
  difference_wh: isWhole, kind: isOf("supply", "consumption"), meter: isShown, metered_wh: isWhole,
  number: isWhole, settled_wh: isWhole,
};
const STATEMENT = {
  consumed_wh: isWhole, consumption_fen: isWhole, differences: eachOf(DIFFERENCE), entries: isWhole,
  format: isOf(STATEMENT_FORMAT), from_s: isWhole, ledger: isShown, location_based_g: isWhole,
  location_factor: isShown, location_ug: isWhole, market_based_g: isWhole,
  meters_differing: isWhole, money: isShown, net_emission_g: isWhole, net_wh: isWhole,
  offset_s: isWhole, operator: isShown, paid_consumption_fen: isWhole, paid_supply_fen: isWhole,
  region: isShown, residual_factor: isShown, residual_ug: isWhole, rows: eachOf(ROW),
  step: isOf("hour", "day", "month"), supplied_wh: isWhole, supply_fen: isWhole, to_s: isWhole,
  tolerance_wh: isWhole, trades_first: isWhole, trades_second: isWhole,
  unsettled_consumption_wh: isWhole, unsettled_supply_wh: isWhole, verdict: isVerdict,
};
const isString = (value) => typeof value === "string";
const BUNDLE = { filing: isString, format: isOf(BUNDLE_FORMAT), region: isString, statement: isString };

/** Whether a value has these members, in their order, and each is what it should be. */
function fits(value, spec) {
  return value !== null && typeof value === "object" && !Array.isArray(value)
    && Object.keys(value).join() === Object.keys(spec).join()
    && Object.entries(spec).every(([name, good]) => good(value[name]));
}

const whole = (number) => number.toLocaleString("en-US");
const localDay = (atS, made) => new Date((atS + made.offset_s) * 1000).toISOString().slice(0, 10);
const modulo = (number, by) => ((number % by) + by) % by;

async function checkBundle(data, known) {
  const say = ["The file is not a settlement statement with its proofs in its one exact form.",
    "该文件不是规范格式的结算单及其证明。"];
  need(data.length <= MAX_BUNDLE_BYTES, ...say);
  const file = parsed(data);
  need(fits(file, BUNDLE) && equal(encodeText(`${JSON.stringify(file)}\n`), data), ...say);
  const made = parsed(file.statement);
  need(fits(made, STATEMENT) && JSON.stringify(made) === file.statement, ...say);
  need([made.from_s, made.to_s].every((atS) => atS >= 0 && atS <= LAST_S)
    && Math.abs(made.offset_s) <= DAY_S, ...say);
  Object.assign(known, { file, made });
  const [first, last] = [made.from_s, made.to_s - 1].map((atS) => localDay(atS, made));
  return [
    `The settlement statement of ${made.region}, ${first} to ${last}, with two proofs, in its one exact form (${data.length} bytes).`,
    `${made.region} 地区 ${first} 至 ${last} 的结算单，附两份证明，格式规范（${data.length} 字节）。`,
  ];
}

// ---- what was filed -----------------------------------------------------------------------------

const FILING = ["region", "from_s", "to_s", "step", "entries", "supplied_wh", "consumed_wh",
  "trades_supply", "trades_consumption", "digest"];
const REGION = ["region", "money", "offset_s", "tolerance_wh", "location_factor", "residual_factor",
  "supply_tariff", "consumption_tariff"];

/** The fields of the transaction that a proof is of, by name. */
function fieldsOf(verdict, wanted, names) {
  const [type, version, , ...values] = Array.isArray(verdict.payload) ? verdict.payload : [];
  need(type === wanted && version === 1 && values.length === names.length,
    `The proof is of a transaction “${verdict.type}”, not of “${wanted} 1”.`,
    `该证明所证为交易“${verdict.type}”，而非“${wanted} 1”。`);
  return Object.fromEntries(names.map((name, at) => [name, values[at]]));
}

function demandSame(field, stated, filed) {
  need(stated === filed, `The statement's ${field} is ${stated}, but on the ledger it is ${filed}.`,
    `结算单的 ${field} 为 ${stated}，而账本上为 ${filed}。`);
}

async function checkFiling(_data, known) {
  const { made, proof } = known;
  known.filed = fieldsOf(proof, "settlement.statement.file", FILING);
  demandSame("ledger", made.ledger, proof.ledger_id);
  for (const name of FILING.slice(0, 5)) demandSame(name, made[name], known.filed[name]);
  return [
    `The transaction files a statement of ${made.region} for this period, by ${made.step}, made from the log's first ${made.entries} entries.`,
    `该交易为 ${made.region} 地区本期结算单入账，按${STEP_WORDS[made.step]}列示，依据日志前 ${made.entries} 条。`,
  ];
}

async function checkDigest(_data, { file, filed }) {
  const found = toHex(await sha256(encodeText(file.statement)));
  const stated = filed.digest instanceof Uint8Array ? toHex(filed.digest) : "";
  need(found === stated, `The statement's digest is ${found}, but ${stated} was filed.`,
    `结算单摘要为 ${found}，而入账摘要为 ${stated}。`);
  return [`Its digest is that of this statement: ${found}.`, `其摘要即本结算单的摘要：${found}。`];
}

async function checkSums(_data, { made, filed }) {
  demandSame("supplied_wh", made.supplied_wh, filed.supplied_wh);
  demandSame("consumed_wh", made.consumed_wh, filed.consumed_wh);
  demandSame("trades_first", made.trades_first, filed.trades_supply);
  demandSame("trades_second", made.trades_second, filed.trades_consumption);
  const [supplied, consumed, first, second] =
    [made.supplied_wh, made.consumed_wh, made.trades_first, made.trades_second].map(whole);
  return [
    `The ledger took the filing since these are the sums of its trades: ${supplied} Wh supplied (first records: ${first}), ${consumed} Wh consumed (second records: ${second}).`,
    `账本核对交易合计后方予入账：一类记录 ${first} 笔，供电 ${supplied} 瓦时；二类记录 ${second} 笔，用电 ${consumed} 瓦时。`,
  ];
}

async function checkRegion(_data, { file, made, proof }) {
  const found = await verifyProof(encodeText(file.region), { ledgerId: proof.ledger_id });
  if (!found.ok) throw new Refusal(found.steps.at(-1).en, found.steps.at(-1).zh);
  const defined = fieldsOf(found, "settlement.region.define", REGION);
  for (const name of REGION.slice(0, 6)) demandSame(name, made[name], defined[name]);
  return [
    `Entry ${found.index} of the same log defined the region: tolerance ${whole(made.tolerance_wh)} Wh, factors ${made.location_factor} (location) and ${made.residual_factor} (residual).`,
    `同一日志第 ${found.index} 条设立该地区：容差 ${whole(made.tolerance_wh)} 瓦时，因子 ${made.location_factor}（基于位置）、${made.residual_factor}（剩余）。`,
  ];
}

// ---- whether its figures follow from each other -------------------------------------------------

const verdictOf = (netWh, made) =>
  Math.abs(netWh) <= made.tolerance_wh ? "neutral" : netWh > 0 ? "positive" : "negative";

/** From when to when the local hour, day or month goes that an instant is in. */
function bucketOf(atS, made) {
  if (made.step !== "month") {
    const size = made.step === "hour" ? HOUR_S : DAY_S;
    const startS = atS - modulo(atS + made.offset_s, size);
    return [startS, startS + size];
  }
  const local = new Date((atS + made.offset_s) * 1000);
  return [0, 1].map((more) =>
    Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + more) / 1000 - made.offset_s);
}

function isRow(row, made) {
  if (!(made.from_s <= row.start_s && row.start_s < row.end_s && row.end_s <= made.to_s)) return false;
  const [startS, endS] = bucketOf(row.start_s, made);
  return row.start_s === Math.max(startS, made.from_s) && row.end_s === Math.min(endS, made.to_s)
    && row.supplied_wh >= 0 && row.consumed_wh >= 0
    && row.net_wh === row.supplied_wh - row.consumed_wh
    && row.verdict === verdictOf(row.net_wh, made);
}

const sumOf = (items, name) => items.reduce((total, item) => total + BigInt(item[name]), 0n);

async function checkRows(_data, { made }) {
  const { rows } = made;
  const days = (made.to_s - made.from_s) / DAY_S;
  need([made.from_s, made.to_s].every((atS) => modulo(atS + made.offset_s, DAY_S) === 0)
    && days >= 1 && days <= MAX_DAYS,
    `A statement is of 1 to ${MAX_DAYS} whole days of the region's local time.`,
    `结算单须为该地区当地时间的 1 至 ${MAX_DAYS} 个整日。`);
  rows.forEach((row, at) => {
    need(isRow(row, made) && (at === 0 || rows[at - 1].end_s <= row.start_s),
      `Row ${at + 1} of the statement does not follow from its own figures.`,
      `结算单第 ${at + 1} 行的数字不能相互印证。`);
  });
  for (const name of ["supplied_wh", "consumed_wh"]) {
    const total = sumOf(rows, name);
    need(total === BigInt(made[name]), `The rows add up to ${total} (${name}), not to ${made[name]}.`,
      `各行合计（${name}）为 ${total}，而非 ${made[name]}。`);
  }
  return [`Rows: ${rows.length}; they lie in the period, follow each other and add up to it.`,
    `共 ${rows.length} 行，均在本期内、先后有序，合计与总数一致。`];
}

async function checkNet(_data, { made }) {
  const netWh = made.supplied_wh - made.consumed_wh;
  need(made.net_wh === netWh && made.verdict === verdictOf(netWh, made),
    `The net value or its verdict does not follow: ${made.net_wh} Wh, ${made.verdict}.`,
    `净值或其判定不成立：${made.net_wh} 瓦时，${made.verdict}。`);
  const [en, zh] = VERDICT_WORDS[made.verdict];
  const tolerance = whole(made.tolerance_wh);
  return [
    `Supplied less consumed is ${whole(netWh)} Wh: ${en}${made.tolerance_wh ? ` (tolerance ${tolerance} Wh)` : ""}.`,
    `供电减用电为 ${whole(netWh)} 瓦时：${zh}${made.tolerance_wh ? `（容差 ${tolerance} 瓦时）` : ""}。`,
  ];
}

/** Grams of so much energy at so many micrograms a Wh, rounded half to even. */
function gramsOf(wh, factorUg) {
  const product = BigInt(Math.abs(wh)) * BigInt(factorUg);
  const [quotient, rest] = [product / UG_PER_G, 2n * (product % UG_PER_G)];
  const up = rest > UG_PER_G || (rest === UG_PER_G && quotient % 2n === 1n);
  const grams = quotient + (up ? 1n : 0n);
  return wh < 0 ? -grams : grams;
}

async function checkEmissions(_data, { made }) {
  for (const [name, wh, factorUg] of [
    ["net_emission_g", made.net_wh, made.location_ug],
    ["location_based_g", made.consumed_wh, made.location_ug],
    ["market_based_g", made.consumed_wh, made.residual_ug],
  ]) {
    const grams = gramsOf(wh, factorUg);
    need(BigInt(made[name]) === grams && factorUg >= 0,
      `${name} is ${made[name]} g, but ${wh} Wh at ${factorUg} µg/Wh is ${grams} g.`,
      `${name} 为 ${made[name]} 克，而 ${wh} 瓦时乘以 ${factorUg} 微克/瓦时为 ${grams} 克。`);
  }
  const [net, location, market] =
    [made.net_emission_g, made.location_based_g, made.market_based_g].map(whole);
  return [
    `Emissions follow from ${made.location_ug} and ${made.residual_ug} µg/Wh, which the signed statement gives for its factors: net ${net} g, consumption ${location} g location-based, ${market} g market-based.`,
    `排放由结算单所载因子值 ${made.location_ug} 与 ${made.residual_ug} 微克/瓦时得出：净值 ${net} 克；用电基于位置 ${location} 克，基于市场 ${market} 克。`,
  ];
}

async function checkDifferences(_data, { made }) {
  const listed = made.differences;
  const sum = (kind) => sumOf(listed.filter((one) => one.kind === kind), "difference_wh");
  const follows = listed.every((one, at) =>
    one.difference_wh === one.metered_wh - one.settled_wh && one.difference_wh !== 0
    && (at === 0 || listed[at - 1].number < one.number));
  const sums = listed.length !== made.meters_differing
    || (sum("supply") === BigInt(made.unsettled_supply_wh)
      && sum("consumption") === BigInt(made.unsettled_consumption_wh));
  need(follows && sums && listed.length === Math.min(made.meters_differing, MAX_LISTED),
    "What is listed of meters that differ does not follow from its own figures.",
    "所列表计差异的数字不能相互印证。");
  const [supply, consumption] = [made.unsettled_supply_wh, made.unsettled_consumption_wh].map(whole);
  return [
    `Meters of which more or less was reported than settled: ${made.meters_differing} (listed: ${listed.length}), ${supply} Wh of supply and ${consumption} Wh of consumption in all.`,
    `上报与结算不符的表计：${made.meters_differing} 只（列出 ${listed.length} 只），供电相差 ${supply} 瓦时，用电相差 ${consumption} 瓦时。`,
  ];
}

const STATEMENT_CHECKS = {
  filing: checkFiling, digest: checkDigest, sums: checkSums, region: checkRegion, rows: checkRows,
  net: checkNet, emissions: checkEmissions, differences: checkDifferences,
};

/** Check a statement with its proofs, or the proof of any transaction, as `verifyProof` does. */
export async function verifyFile(data, { ledgerId = null } = {}) {
  if (!isBundle(data)) return verifyProof(data, { ledgerId });
  const steps = [];
  const known = {};
  if (!(await carriedOut(steps, "bundle", checkBundle, data, known))) return { ok: false, steps };
  known.proof = await verifyProof(encodeText(known.file.filing), { ledgerId });
  steps.push(...known.proof.steps);
  const found = { ...known.proof, steps };
  if (!known.proof.ok) return found;
  for (const [name, check] of Object.entries(STATEMENT_CHECKS)) {
    if (!(await carriedOut(steps, name, check, data, known))) return { ...found, ok: false };
  }
  return { ...found, statement: known.made };
}

async function carriedOut(steps, name, check, data, known) {
  try {
    const [en, zh] = await check(data, known);
    steps.push({ name, ok: true, en, zh });
    return true;
  } catch (error) {
    const { en, zh } = error instanceof Refusal ? error
      : new Refusal(`This could not be checked: ${error}`, `无法完成检查：${error}`);
    steps.push({ name, ok: false, en, zh });
    return false;
  }
}
