"""The surfaces that a read goes through; the sharing gate stands before each of them."""

from __future__ import annotations

REQ, MIXED, IDS, LIVE = "req", "mixed kinds", "ids", "live"
COUNT, HTTP_QUERY, HTTP_COUNT, SEARCH = "count", "http query", "http count", "search"
