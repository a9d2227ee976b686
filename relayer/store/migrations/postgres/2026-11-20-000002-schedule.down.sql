DROP TABLE row_claims;
