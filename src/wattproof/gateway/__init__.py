"""The gateway: the ledger over HTTP. A frame: rooms hang their routes in, it knows none of them."""
