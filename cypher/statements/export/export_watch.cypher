// The server's clock, when the oldest open transaction began, and how many are being applied.
// parameters: none
// columns:    now INTEGER, oldest INTEGER, closing INTEGER
SHOW TRANSACTIONS YIELD startTime, status
RETURN timestamp() AS now,
       min(datetime(startTime).epochMillis) AS oldest,
       count(CASE WHEN status STARTS WITH 'Closing' THEN 1 END) AS closing
