DROP INDEX intents_nonce;
