// End the transactions that carry a token.
// parameters: token STRING
// columns:    message STRING
SHOW TRANSACTIONS YIELD transactionId AS id, metaData AS marks WHERE marks.kinfolio = $token
TERMINATE TRANSACTIONS id YIELD message
RETURN message
ORDER BY message
