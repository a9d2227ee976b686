DROP INDEX books_by_payee;
DROP TABLE claims_by_day;
