// Return the server's clock, the start of the oldest open transaction and the number of committing transactions.
// parameters: none
// columns:    now INTEGER, oldest INTEGER, closing INTEGER
SHOW TRANSACTIONS YIELD startTime, status
RETURN timestamp() AS now,
       min(datetime(startTime).epochMillis) AS oldest,
       count(CASE WHEN status STARTS WITH 'Closing' THEN 1 END) AS closing
