//! given a relayer with an acknowledgement key
//! ├── a single voucher is signed for, and the same again gets the same signature
//! ├── a batch is signed for when asked
//! ├── what is not stored is not signed for
//! └── a relayer without a key signs nothing

mod support;

use rivulet_core::ids::ChannelId;
use rivulet_rules::{
    acknowledgement::{Acknowledgement, separator, signer},
    testing::{DEPLOYMENT, Key, id, offer},
    text,
};
use serde_json::{Value, json};
use support::world::{acknowledgement_key, voucher, world, world_with_secrets};

/// Who signed it, for this total.
fn signed_by(answer: &Value, channel_id: ChannelId, cumulative_amount: u128) -> Option<String> {
    let signature = text::signature("signature", answer["signature"].as_str()?).unwrap();
    let accepted_at = answer["accepted_at"].as_u64()?;
    Some(signer(&Acknowledgement { channel_id, cumulative_amount, accepted_at }, &signature, &separator(&DEPLOYMENT))?.to_string())
}

#[tokio::test]
async fn a_stored_voucher_is_signed_for_and_the_same_again_gets_the_same_answer() {
    let world = world_with_secrets("").await;
    let key = acknowledgement_key().address().to_string();
    assert_eq!(world.get("/v1/info").await.1["relayer"]["acknowledgement_key"], json!(key));
    let (_, first) = world.post("/v1/vouchers", &world.voucher(5)).await;
    assert_eq!(signed_by(&first["acknowledgement"], id(&world.state), 5), Some(key.clone()));
    assert_ne!(signed_by(&first["acknowledgement"], id(&world.state), 6), Some(key.clone()));
    // In another second: the time is that of the first.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(world.post("/v1/vouchers", &world.voucher(5)).await.1, first);
    let (_, batch) = world.post("/v1/vouchers/batch?acknowledge=true", &json!([world.voucher(5), world.voucher(6), world.voucher(4)])).await;
    assert_eq!(batch["results"][0]["acknowledgement"], first["acknowledgement"]);
    assert_eq!(signed_by(&batch["results"][1]["acknowledgement"], id(&world.state), 6), Some(key));
    assert_eq!(batch["results"][2]["acknowledgement"], Value::Null);
}

#[tokio::test]
async fn a_batch_is_signed_for_only_when_asked_and_nothing_that_was_refused() {
    let world = world_with_secrets("").await;
    let (_, batch) = world.post("/v1/vouchers/batch", &json!([world.voucher(5)])).await;
    assert_eq!(batch["results"][0], json!({"status": "accepted", "cumulative_amount": "5"}));
    let forged = voucher(&offer(&world.state, &Key::of(2), 9));
    assert_eq!(world.post("/v1/vouchers", &forged).await.1["acknowledgement"], Value::Null);
    let (status, answer) = world.post("/v1/vouchers/batch?acknowledge=yes", &json!([])).await;
    assert_eq!((status.as_u16(), &answer["field"]), (400, &json!("acknowledge")));
}

#[tokio::test]
async fn without_a_key_nothing_is_signed_and_info_says_so() {
    let world = world("").await;
    assert_eq!(world.post("/v1/vouchers", &world.voucher(5)).await.1["acknowledgement"], Value::Null);
    assert_eq!(world.get("/v1/info").await.1["relayer"]["acknowledgement_key"], Value::Null);
}
