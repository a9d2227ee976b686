//! The purchases that viem signed (`tests/vectors`): read and signed here to the same bytes.

use rivulet_client::buy::{Purchase, separator};
use rivulet_client::{VoucherKey, VoucherSigner};
use rivulet_core::{
    SoftKeccak,
    eip712::Message,
    ids::{Address, Deployment},
    signature::CompactSignature,
};
use rivulet_rules::text;
use serde_json::Value;

#[test]
fn purchases_are_read_as_viem_signs_them() {
    let path = std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/../../tests/vectors/vectors.json";
    let vectors: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let text = |v: &Value, field: &str| v[field].as_str().unwrap().to_owned();
    let address = |v: &Value, field: &'static str| -> Address { text::address(field, &text(v, field)).unwrap() };
    let all = vectors["purchases"].as_array().unwrap();
    for v in all {
        let deployment = &vectors["deployments"][v["deployment"].as_u64().unwrap() as usize];
        let at = Deployment { chain_id: text(deployment, "chainId").parse().unwrap(), contract: address(deployment, "contract") };
        let domain = separator(&at);
        assert_eq!((text::hex(&domain), Purchase::TYPE), (text(v, "separator"), text(v, "typeText").as_str()));
        let message = &v["message"];
        let purchase = Purchase {
            channel_id: text::channel_id("channelId", &text(message, "channelId")).unwrap(),
            amount: text(message, "amount").parse().unwrap(),
            request: text(message, "request"),
            nonce: text::bytes(&text(message, "nonce")).unwrap(),
            valid_until: text(message, "validUntil").parse().unwrap(),
        };
        assert_eq!(text::hex(&purchase.struct_hash(&SoftKeccak)), text(v, "structHash"));
        assert_eq!(text::hex(&purchase.to_sign(&domain)), text(v, "digest"), "{}", purchase.request);
        let compact = CompactSignature(text::bytes(&text(v, "compact")).unwrap());
        assert_eq!(purchase.signer(&compact, &domain), Some(address(v, "signer")));
        let key = vectors["keys"].as_array().unwrap().iter().find(|key| key["address"] == v["signer"]).unwrap();
        let signer = VoucherSigner::new(VoucherKey::from_bytes(text::bytes(&text(key, "privateKey")).unwrap()).unwrap(), &at);
        // Both sides sign deterministically (RFC 6979), so even the bytes agree.
        assert_eq!(signer.key().sign(purchase.to_sign(&domain)), compact);
        // And it is for this request alone.
        let other = Purchase { request: format!("{} ", purchase.request), ..purchase };
        assert_ne!(other.signer(&compact, &domain), Some(address(v, "signer")));
    }
    assert!(all.len() >= 21, "{}", all.len());
}
