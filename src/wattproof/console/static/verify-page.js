// The page on which anybody checks a proof: takes a file, a pasted text or a transaction's code,
// and shows each step of verify.js, or of verify-statement.js, with what it found.
//
// Everything shown comes out of a file that may be made to deceive, so it is only ever put into
// the page as text. Each text stands there in both languages; the style sheet shows one.

import { UintArray, didOf, inability, toHex } from "./verify.js";
import { MAX_BUNDLE_BYTES, STATEMENT_STEPS, isBundle, verifyFile } from "./verify-statement.js";

const byId = (id) => document.getElementById(id);
const page = byId("verify");
// What the node says of itself: its ledger's id, and the words for the transactions that it knows.
const { ledger = "", types = {} } = JSON.parse(byId("verify-data")?.textContent ?? "{}");
const withNode = page.dataset.node !== undefined;

const HEADLINES = {
  ok: { en: "The proof holds", zh: "证明成立" },
  okStatement: { en: "The statement and its proofs hold", zh: "结算单及其证明成立" },
  wrong: { en: "The proof does not hold", zh: "证明不成立" },
  unable: { en: "Nothing could be checked", zh: "无法检查" },
  busy: { en: "Checking …", zh: "正在检查……" },
};
const HOLDS = { en: "Holds: ", zh: "成立：" };
const FAILS = { en: "Fails: ", zh: "不成立：" };
const NOT_REACHED = { en: "Not checked, since an earlier step fails.", zh: "前面的步骤不成立，未检查此步。" };
const NOTHING_GIVEN = {
  en: "Drop or choose a proof file, or paste its text.",
  zh: "请拖入或选择证明文件，或粘贴其内容。",
};
const BAD_LEDGER = {
  en: "A ledger's id has 64 digits and letters from a to f.",
  zh: "账本编号由 64 个数字或 a 至 f 的字母组成。",
};
const NO_NODE = {
  en: "A code alone says where a proof can be had; this page works without a network and needs the proof file itself.",
  zh: "编号只说明证明在何处；本页面离线工作，需要证明文件本身。",
};
const OTHER_TRANSACTION = {
  en: "The node answered with a proof of another transaction than the one asked for.",
  zh: "节点返回的是另一笔交易的证明，而不是所查询的交易。",
};

// ---- texts in both languages --------------------------------------------------------------------

function element(tag, content = [], attributes = {}) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...[content].flat());
  return made;
}

const both = ({ en, zh }) =>
  [element("span", marked(en), { lang: "en" }), element("span", marked(zh), { lang: "zh-Hans" })];

const code = (text) => element("code", text);

/** A sentence with the hashes and keys in it set as code. */
const marked = (text) =>
  text.split(/([0-9a-f]{64}|did:key:z\w+)/).map((part, at) => (at % 2 === 1 ? code(part) : part));

// ---- the verdict --------------------------------------------------------------------------------

function show(state, reason, headline = HEADLINES[state]) {
  page.dataset.state = state;
  byId("verify-headline").replaceChildren(...both(headline));
  byId("verify-reason").replaceChildren(...both(reason));
}

function showSteps(steps) {
  const results = new Map(steps.map((step) => [step.name, step]));
  for (const item of page.querySelectorAll("[data-step]")) {
    item.querySelector(".verify-found")?.remove();
    const step = results.get(item.dataset.step);
    item.dataset.result = step === undefined ? "" : step.ok ? "ok" : "wrong";
    if (steps.length === 0) continue;
    const sign = element("span", step ? both(step.ok ? HOLDS : FAILS) : [], { class: "verify-hidden" });
    item.append(element("p", [sign, ...both(step ?? NOT_REACHED)], { class: "verify-found" }));
  }
}

/** The steps of a statement stand in the list only while one is checked. */
function listStatementSteps(wanted) {
  const list = page.querySelector(".verify-steps");
  for (const item of list.querySelectorAll("[data-of-statement]")) item.remove();
  if (!wanted) return;
  const items = STATEMENT_STEPS.map(([name, en, zh, whyEn, whyZh]) =>
    element("li", [
      element("h3", both({ en, zh })), element("p", both({ en: whyEn, zh: whyZh })),
    ], { "data-step": name, "data-of-statement": "" }));
  list.prepend(items[0]);
  list.append(...items.slice(1));
}

function reasonOf(verdict, expected) {
  if (verdict.unable) return verdict.unable;
  if (!verdict.ok) return verdict.steps.at(-1);
  const { index, size, ledger_name: name, ledger_id: id } = verdict;
  const en = `Entry ${index} of ${size} in the ledger “${name}”`;
  const zh = `账本“${name}”共 ${size} 条中的第 ${index} 条`;
  if (expected !== null) {
    return { en: `${en}, which has the id given in the form.`, zh: `${zh}，编号与所填的账本编号一致。` };
  }
  return {
    en: `${en}. Compare the ledger's id, ${id}, with the one that you know.`,
    zh: `${zh}。请将账本编号 ${id} 与您已知的编号核对。`,
  };
}

/** Check bytes and show what came of it; a proof of another transaction than `asked` is wrong. */
async function check(data, { asked = null } = {}) {
  const expected = byId("verify-ledger").value.trim().toLowerCase() || null;
  const statement = isBundle(data);
  byId("verify-contents").hidden = true;
  listStatementSteps(statement);
  showSteps([]);
  if (expected !== null && !/^[0-9a-f]{64}$/.test(expected)) return show("unable", BAD_LEDGER);
  const verdict = await verifyFile(data, { ledgerId: expected });
  showSteps(verdict.steps);
  if (verdict.ok && asked !== null && verdict.transaction_id !== asked) {
    return show("wrong", OTHER_TRANSACTION);
  }
  show(verdict.unable ? "unable" : verdict.ok ? "ok" : "wrong", reasonOf(verdict, expected),
    verdict.ok && statement ? HEADLINES.okStatement : undefined);
  if (verdict.ok) showContents(verdict);
}

// ---- what the transaction says ------------------------------------------------------------------

function row(name, value) {
  const title = typeof name === "string" ? code(name) : both(name);
  return [element("dt", title), element("dd", value)];
}

function moment(ms, zone) {
  const options = { dateStyle: "medium", timeStyle: "long", timeZone: zone };
  try {
    const shown = (locale) => new Intl.DateTimeFormat(locale, options).format(new Date(ms));
    return { en: shown("en-GB"), zh: shown("zh-CN") };
  } catch {
    const shown = new Date(ms).toISOString(); // a zone that this browser does not know
    return { en: shown, zh: shown };
  }
}

function showContents(verdict) {
  const payload = Array.isArray(verdict.payload) ? verdict.payload : [verdict.payload];
  const [type, version, nonce, ...fields] = payload;
  const known = types[`${type} ${version}`];
  const heading = known === undefined ? [code(verdict.type)]
    : [...both(known), " ", code(`${type} ${version}`)];
  const rows = [
    row({ en: "Transaction", zh: "交易" }, heading),
    row({ en: "Its code", zh: "交易编号" }, code(verdict.transaction_id)),
    row({ en: "Signed by", zh: "签名者" }, code(verdict.signer)),
    row({ en: "Ledger", zh: "账本" }, [verdict.ledger_name, " ", code(verdict.ledger_id)]),
    row({ en: "Entry", zh: "条目" }, both({
      en: `${verdict.index} (counted from 0) of ${verdict.size}`,
      zh: `${verdict.size} 条中的第 ${verdict.index} 条（从 0 起）`,
    })),
    row({ en: "Accepted", zh: "收录时间" }, both(moment(verdict.time_ms, verdict.zone))),
    ...namedRows(known?.fields ?? [], fields, verdict.zone),
  ];
  if (nonce instanceof Uint8Array) rows.push(row({ en: "Nonce", zh: "随机数" }, code(toHex(nonce))));
  byId("verify-facts").replaceChildren(...rows.flat());
  byId("verify-contents").hidden = false;
}

const namedRows = (names, values, zone) =>
  values.map((value, at) => {
    const field = names[at] ?? { name: `[${at + 3}]` };
    return row(field.name, shown(value, field, zone));
  });

/** A field's value as nodes and texts; `field` is its name and, for a group, its fields' names. */
function shown(value, field, zone) {
  if (value === null) return "—";
  if (value === true) return both({ en: "yes", zh: "是" });
  if (value === false) return both({ en: "no", zh: "否" });
  if (typeof value === "string") return value === "" ? "“”" : value;
  if (value instanceof Uint8Array) return shownBytes(value, field);
  if (value instanceof UintArray) return shownNumbers(value.numbers);
  if (!Array.isArray(value)) return shownNumber(value, field, zone);
  if (value.length === 0) return "—";
  const group = (item) =>
    element("dl", namedRows(field.fields ?? [], item, zone).flat(), { class: "verify-facts" });
  if (field.fields && !field.many) return group(value);
  if (value.every((item) => typeof item === "string")) return value.join(", ");
  const items = value.map((item) =>
    element("li", Array.isArray(item) ? group(item) : shown(item, { name: "" }, zone)));
  return folded(items.length, element("ol", items));
}

function shownNumber(value, field, zone) {
  const since2000 = 946_684_800;
  if (!field.name.endsWith("_s") || value < since2000) return String(value);
  return [`${value} (`, ...both(moment(Number(value) * 1000, zone)), ")"];
}

function shownBytes(value, field) {
  const isKey = value.length === 32 && /(^|_)key$/.test(field.name);
  return code(isKey ? didOf(value) : value.length === 0 ? "“”" : toHex(value));
}

function shownNumbers(numbers) {
  const sum = numbers.reduce((total, number) => total + BigInt(number), 0n);
  const text = { en: `sum ${sum}`, zh: `合计 ${sum}` };
  return numbers.length === 0 ? "—" : folded(numbers.length, element("p", numbers.join(", ")), text);
}

/** A list behind its length, opened on demand when it is long. */
function folded(count, content, more = null) {
  const title = { en: `${count} items`, zh: `${count} 项` };
  if (count === 1) Object.assign(title, { en: "1 item" });
  if (more !== null) Object.assign(title, { en: `${title.en}, ${more.en}`, zh: `${title.zh}，${more.zh}` });
  const summary = element("summary", both(title));
  return element("details", [summary, content], count <= 12 ? { open: "" } : {});
}

// ---- what is handed in --------------------------------------------------------------------------

const tooLong = (size) => ({
  en: `A file to be checked has at most ${MAX_BUNDLE_BYTES} bytes; this has ${size}.`,
  zh: `待验证文件至多 ${MAX_BUNDLE_BYTES} 字节，而它有 ${size} 字节。`,
});

async function checkFile(file) {
  if (file === undefined) return show("unable", NOTHING_GIVEN);
  if (file.size > MAX_BUNDLE_BYTES) return refuse(tooLong(file.size));
  await check(new Uint8Array(await file.arrayBuffer()));
}

/** A pasted proof: white space around it is the clipboard's, its one newline at the end is not. */
async function checkText(text) {
  const trimmed = text.trim();
  if (trimmed === "") return show("unable", NOTHING_GIVEN);
  if (/^[0-9a-f]{64}$/i.test(trimmed)) return checkCode(trimmed.toLowerCase());
  await check(new TextEncoder().encode(`${trimmed}\n`));
}

async function checkCode(id) {
  if (!withNode) return refuse(NO_NODE);
  const answer = await fetch(`/api/v1/transactions/${id}/proof`, {
    signal: AbortSignal.timeout(30_000),
  });
  if (answer.ok) return check(new Uint8Array(await answer.arrayBuffer()), { asked: id });
  const problem = await answer.json().catch(() => ({}));
  const status = { en: `The node answered ${answer.status}.`, zh: `节点返回 ${answer.status}。` };
  refuse(typeof problem.en === "string" && typeof problem.zh === "string" ? problem : status);
}

function refuse(reason) {
  byId("verify-contents").hidden = true;
  listStatementSteps(false);
  showSteps([]);
  show("unable", reason);
}

let running = Promise.resolve();

/** One check after the other, so that the last thing handed in is what is shown in the end. */
function start(work) {
  running = running.then(async () => {
    show("busy", { en: "", zh: "" });
    try {
      await work();
    } catch (error) {
      refuse({ en: `It could not be read: ${error.message}`, zh: `无法读取：${error.message}` });
    }
    byId("verify-verdict").focus({ preventScroll: false });
  });
}

// ---- the page -----------------------------------------------------------------------------------

function listen() {
  const drop = byId("verify-drop");
  const picker = byId("verify-file");
  picker.addEventListener("change", () => {
    const file = picker.files[0];
    picker.value = ""; // so that the same file can be chosen again
    if (file !== undefined) start(() => checkFile(file));
  });
  byId("verify-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = byId("verify-text").value;
    start(() => checkText(text));
  });
  // The whole page takes a file, so that one that misses the mark is not opened in its place.
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("verify-over");
  });
  document.addEventListener("dragleave", () => drop.classList.remove("verify-over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("verify-over");
    const [file] = event.dataTransfer.files;
    const text = event.dataTransfer.getData("text/plain");
    start(() => (file === undefined ? checkText(text) : checkFile(file)));
  });
}

/** The switch between the languages, where the page has one of its own. */
function listenForLanguage() {
  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => {
      document.documentElement.lang = button.dataset.language;
      const title = document.querySelector("title");
      document.title = title.dataset[button.dataset.language.slice(0, 2)] ?? document.title;
    });
  }
}

/** A transaction's code in the address (/verify#...), as a QR code holds it. */
function checkAddress() {
  const id = location.hash.slice(1);
  if (!withNode || !/^[0-9a-f]{64}$/i.test(id)) return;
  byId("verify-text").value = id;
  start(() => checkText(id));
}

byId("verify-ledger").value ||= ledger;
listen();
listenForLanguage();
window.addEventListener("hashchange", checkAddress);
const unable = await inability();
if (unable !== null) show("unable", unable);
page.dataset.ready = "";
checkAddress();
