"""Why a product, a class of vehicles or a shipment is refused."""

from __future__ import annotations

from wattproof.core.errors import Conflict, ErrorCode, Malformed, NotFound, OverLimit

__all__ = [
    "BOTH_FACTORS",
    "CUSTOMER",
    "FUTURE",
    "LIMIT",
    "NO_DISTANCE",
    "NO_POINTS",
    "NO_PRODUCT",
    "NO_PRODUCT_FACTOR",
    "NO_RATE",
    "NO_TIME",
    "NO_UNITS",
    "NO_WEIGHT",
    "OTHER_FACTOR",
    "PRODUCT_SCOPE",
    "PRODUCT_UNKNOWN",
    "SCOPES_MIXED",
    "SHIPMENT_TWICE",
    "SHIPMENT_UNKNOWN",
    "TIMES",
    "VEHICLE_FACTOR",
    "VEHICLE_MISMATCH",
    "VEHICLE_UNKNOWN",
]

PRODUCT_UNKNOWN = ErrorCode(
    NotFound,
    "emissions.product.unknown",
    en="{party} has defined no product {product} in version {version}.",
    zh="{party} 没有定义产品 {product} 的第 {version} 版。",
)
PRODUCT_SCOPE = ErrorCode(
    Malformed,
    "emissions.product.scope",
    en="A product with a factor says of which scope it is, and one without says none.",
    zh="有因子的产品须注明口径，没有因子的不得注明。",
)
VEHICLE_UNKNOWN = ErrorCode(
    NotFound,
    "emissions.vehicle.unknown",
    en="{party} has defined no vehicle class {vehicle} in version {version}.",
    zh="{party} 没有定义车辆类别 {vehicle} 的第 {version} 版。",
)
VEHICLE_FACTOR = ErrorCode(
    Malformed,
    "emissions.vehicle.factor",
    en="A vehicle class names a factor of the ledger, or states a value of its own with its scope.",
    zh="车辆类别须指明账本上的因子，或自行给出数值及其口径。",
)
BOTH_FACTORS = ErrorCode(
    Malformed,
    "emissions.vehicle.both_factors",
    en="A vehicle class has one factor: that of the ledger, or a value and scope of its own.",
    zh="车辆类别只能有一个因子：账本上的因子，或自行给出的数值及口径。",
)
VEHICLE_MISMATCH = ErrorCode(
    Conflict,
    "emissions.vehicle.mismatch",
    en="{factor} is a factor of {applies}; the method or class needs one of {needed}.",
    zh="{factor} 是适用于 {applies} 的因子，该方法或类别需要适用于 {needed} 的因子。",
)
SHIPMENT_TWICE = ErrorCode(
    Conflict,
    "emissions.shipment.twice",
    en="{shipper} has recorded a shipment {shipment} already.",
    zh="{shipper} 已登记过运输 {shipment}。",
)
SHIPMENT_UNKNOWN = ErrorCode(
    NotFound,
    "emissions.shipment.unknown",
    en="{shipper} has recorded no shipment {shipment}.",
    zh="{shipper} 没有登记过运输 {shipment}。",
)
CUSTOMER = ErrorCode(
    Malformed,
    "emissions.shipment.customer",
    en="“{customer}” is no id for a customer: letters, digits and . _ : - only. Names and addresses"
    " stay off the log; give a salted hash instead.",
    zh="“{customer}”不能作为客户标识：只能含字母、数字和 . _ : -。姓名和地址不写入日志，"
    "请改用加盐哈希。",
)
NO_TIME = ErrorCode(
    Malformed,
    "emissions.shipment.no_time",
    en="A shipment needs the time of its departure or of its arrival.",
    zh="运输须有出发时间或到达时间。",
)
TIMES = ErrorCode(
    Malformed,
    "emissions.shipment.times",
    en="The shipment arrives at {arrival_s:time}, before it departs at {departure_s:time}.",
    zh="到达时间 {arrival_s:time} 早于出发时间 {departure_s:time}。",
)
FUTURE = ErrorCode(
    Conflict,
    "emissions.shipment.future",
    en="The shipment is {seconds} s ahead of the ledger's time; it is recorded once it was made.",
    zh="运输时间比账本时间晚 {seconds} 秒，须在发生之后登记。",
)
NO_DISTANCE = ErrorCode(
    Malformed,
    "emissions.shipment.no_distance",
    en="The shipment has no distance.",
    zh="运输缺少里程。",
)
NO_POINTS = ErrorCode(
    Malformed,
    "emissions.shipment.no_points",
    en="A distance along tracking points needs the SHA-256 of the points, 32 bytes.",
    zh="由轨迹点得到的里程须附轨迹点的 SHA-256（32 字节）。",
)
NO_WEIGHT = ErrorCode(
    Malformed,
    "emissions.shipment.no_weight",
    en="The method tonne-km needs a weight above zero.",
    zh="吨公里法需要大于零的重量。",
)
NO_UNITS = ErrorCode(
    Malformed,
    "emissions.shipment.no_units",
    en="The method product-vehicle needs a number of units above zero.",
    zh="产品加车辆法需要大于零的件数。",
)
NO_PRODUCT = ErrorCode(
    Malformed,
    "emissions.shipment.no_product",
    en="The method product-vehicle needs a product.",
    zh="产品加车辆法需要指明产品。",
)
NO_PRODUCT_FACTOR = ErrorCode(
    Conflict,
    "emissions.shipment.no_product_factor",
    en="Product {product}, version {version}, has no factor, which the method product-vehicle"
    " needs.",
    zh="产品 {product} 第 {version} 版没有因子，而产品加车辆法需要。",
)
NO_RATE = ErrorCode(
    Malformed,
    "emissions.shipment.no_factor",
    en="The shipment names neither a vehicle class nor a factor.",
    zh="运输既未指明车辆类别，也未指明因子。",
)
OTHER_FACTOR = ErrorCode(
    Conflict,
    "emissions.shipment.factor",
    en="The shipment names factor {factor}, but its vehicle class {vehicle} has another.",
    zh="运输指明的因子为 {factor}，而车辆类别 {vehicle} 使用的是另一因子。",
)
SCOPES_MIXED = ErrorCode(
    Conflict,
    "emissions.shipment.scope",
    en="The product's factor is {product}, the vehicle's {vehicle}: they are not added.",
    zh="产品因子的口径为 {product}，车辆因子为 {vehicle}，两者不能相加。",
)
LIMIT = ErrorCode(
    OverLimit,
    "emissions.shipment.limit",
    en="The emission comes to more than 2^62 grams.",
    zh="排放量超过 2^62 克。",
)
