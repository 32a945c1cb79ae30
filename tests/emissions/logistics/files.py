"""Files of shipments for tests: small ones written here, and the mapping of the real one."""

from __future__ import annotations

from typing import Final

__all__ = ["DISTANCES", "POINTS", "SCMS", "SCMS_MAP", "SMALL", "SMALL_MAP", "TRACKED_MAP"]

SCMS: Final = "scms_shipments_part1.csv"
"""Real shipments (USAID): no distances, weights that are words."""

DISTANCES: Final = """
[distances]
Vietnam = 9500
"Côte d'Ivoire" = "4890.5"
Nigeria = 4700
Zambia = 6900
Tanzania = 6700
"""

SCMS_MAP: Final = """
[file]
format = "%d-%b-%y"
timezone = "UTC"
[columns]
shipment = "ID"
arrival = "Delivered to Client Date"
units = "Line Item Quantity"
weight = "Weight (Kilograms)"
customer = "Country"
place = "Country"
mode = "Shipment Mode"
[customer]
salt = "nobody else knows this"
[modes.Air]
method = "tonne-km"
factor = "glec-air-freighter-fleet-tkm-wtw@1"
[modes."Air Charter"]
method = "tonne-km"
factor = "glec-air-freighter-fleet-tkm-wtw@1"
[modes.Truck]
method = "tonne-km"
factor = "uk-2025-hgv-artic-33t-plus-tkm-wtw@1"
[modes.Ocean]
method = "tonne-km"
factor = "glec-container-ship-tkm-wtw@1"
"""

SMALL: Final = """\
no,left,arrived,kg,km,customer
a-1,2023-11-01T08:00+08:00,2023-11-01T14:00+08:00,5000,300,c-1
a-2,2023-11-02T08:00+08:00,2023-11-02T14:00+08:00,heavy,300,c-1
a-3,2023-11-02T09:00+08:00,2023-11-02T14:00+08:00,1000,,c-2
a-4,2 November,2023-11-02T14:00+08:00,1000,100,c-2
a-1,2023-11-03T08:00+08:00,2023-11-03T14:00+08:00,5000,300,c-1
a-5,2023-11-03T08:00+08:00,2023-11-03T14:00+08:00,-1,many,jane@example.org
a-6,2023-11-03T08:00+08:00
a-7,2023-12-03T08:00+08:00,2023-12-03T07:00+08:00,1,1,c-3
"""

SMALL_MAP: Final = """
[columns]
shipment = "no"
departure = "left"
arrival = "arrived"
weight = "kg"
distance = "km"
customer = "customer"
[method]
method = "tonne-km"
factor = "uk-2025-hgv-artic-33t-plus-tkm-ttw@1"
"""

TRACKED_MAP: Final = f"""{SMALL_MAP}
[tracking]
shipment = "shipment"
time = "at"
latitude = "lat"
longitude = "lon"
"""

POINTS: Final = """\
shipment,at,lat,lon
a-1,2023-11-01T08:00+08:00,31.2304,121.4737
a-1,2023-11-01T11:00+08:00,32.0603,118.7969
a-1,2023-11-01T14:00+08:00,34.2610,117.1859
"""
