-- Each signer is a lane of its own nonces: no two open intents have the same one, or one of them could never be included.
CREATE UNIQUE INDEX intents_nonce ON intents (signer, nonce) WHERE state = 'open';
