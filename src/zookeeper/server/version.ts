/**
 * What the server says it is. Clients and monitors read the numbers before the dash: they are those of the Apache release whose
 * behaviour this is.
 */
export const SERVER_VERSION = '3.9.5-odradek-0.2.0, built on 2026-11-28 00:00 UTC';
