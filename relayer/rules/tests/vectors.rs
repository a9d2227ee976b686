//! The bytes that viem made (`tests/vectors`): the relayer must find the same signers, and refuse what it calls bad.

use rivulet_core::{
    SoftKeccak,
    amount::MAX_AMOUNT,
    eip712::{Domain, Message},
    ids::{ChannelTerms, Deployment, Number},
    signature::CompactSignature,
};
use rivulet_rules::{
    accept::{Policy, Snapshot, shape, signature::recover, verify},
    acknowledgement::{self, Acknowledgement, AcknowledgementKey},
    chain::{ChannelState, ChannelView},
    text,
};
use serde_json::Value;

fn vectors() -> Value {
    let path = std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/../../tests/vectors/vectors.json";
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn every_signed_message_recovers_to_its_signer_from_both_forms() {
    let vectors = vectors();
    let mut seen = 0;
    for message in vectors["messages"].as_array().unwrap() {
        let text = |field: &str| message[field].as_str().unwrap();
        let digest = text::bytes(text("digest")).unwrap();
        let signer = text::address("signer", text("signer")).unwrap();
        for form in ["signature", "compact"] {
            let signature = text::signature(form, text(form)).unwrap();
            assert_eq!(signature, CompactSignature(text::bytes(text("compact")).unwrap()));
            assert_eq!(recover(digest, &signature), Some(signer), "{}", text("typeText"));
        }
        seen += 1;
    }
    assert!(seen > 0);
}

#[test]
fn signature_forms_are_taken_and_refused_as_viem_says() {
    let vectors = vectors();
    let forms = &vectors["signatures"];
    for accepted in forms["accepted"].as_array().unwrap() {
        let read = |field: &str| text::signature("signature", accepted[field].as_str().unwrap());
        assert_eq!(read("signature"), read("compact"), "{}", accepted["why"]);
    }
    for list in ["refused65", "refused64"] {
        for refused in forms[list].as_array().unwrap() {
            let signature = refused["signature"].as_str().or_else(|| refused["compact"].as_str()).unwrap();
            assert!(text::signature("signature", signature).is_err(), "{list}: {}", refused["why"]);
        }
    }
    let digest = text::bytes(forms["digest"].as_str().unwrap()).unwrap();
    for lost in forms["unrecoverable"].as_array().unwrap() {
        let signature = CompactSignature(text::bytes(lost["compact"].as_str().unwrap()).unwrap());
        assert_eq!(recover(digest, &signature), None, "{}", lost["why"]);
    }
}

#[test]
fn a_voucher_of_the_vectors_passes_every_check_of_its_channel() {
    let vectors = vectors();
    let mut seen = 0;
    for channel in vectors["channelIds"].as_array().unwrap() {
        let (text, number) = (|f: &str| channel["terms"][f].as_str().unwrap(), |f: &str| channel["terms"][f].as_u64().unwrap());
        let address = |field| text::address("address", text(field)).unwrap();
        let deployment = &vectors["deployments"][channel["deployment"].as_u64().unwrap() as usize];
        let at = Deployment {
            chain_id: deployment["chainId"].as_str().unwrap().parse().unwrap(),
            contract: text::address("contract", deployment["contract"].as_str().unwrap()).unwrap(),
        };
        let terms = ChannelTerms {
            number: Number { book: number("book") as u32, serial: number("serial") as u32 },
            payer: address("payer"),
            payee: address("payee"),
            voucher_signer: address("voucherSigner"),
            token: address("token"),
            challenge_period_secs: number("challengePeriodSecs") as u32,
            opened_at: text("openedAt").parse().unwrap(),
        };
        let channel_id = terms.channel_id(&at, &SoftKeccak);
        assert_eq!(text::hex(&channel_id.0), channel["id"].as_str().unwrap());
        let state = ChannelState { terms, deposit: MAX_AMOUNT, claimed: 0, close_due_at: None, refund_requested: 0, refund_due_at: None };
        let snapshot = Snapshot { view: ChannelView::Live(state), channel_id, best_total: None, is_final: true };
        let separator = Domain::Channels.separator(&at, &SoftKeccak);
        for message in vectors["messages"].as_array().unwrap() {
            let of = |f: &str| message["message"][f].as_str().unwrap_or_default();
            let is_voucher = message["domain"] == "channels" && message["typeText"].as_str().unwrap().starts_with("Voucher(");
            let is_ours = message["deployment"] == channel["deployment"] && message["signer"].as_str() == channel["terms"]["voucherSigner"].as_str();
            if !is_voucher || !is_ours || of("channelId") != text::hex(&channel_id.0) {
                continue;
            }
            // Zero and what is beyond the largest amount are no vouchers to the relayer.
            let Ok(offer) = shape::read(terms.number, of("channelId"), of("cumulativeAmount"), message["compact"].as_str().unwrap()) else {
                continue;
            };
            verify(&offer, &snapshot, &Policy::default(), &separator, 0).unwrap();
            seen += 1;
        }
    }
    assert!(seen > 0);
}

#[test]
fn acknowledgements_are_signed_as_viem_signs_them() {
    let vectors = vectors();
    let text = |v: &Value, field: &str| v[field].as_str().unwrap().to_owned();
    let mut seen = 0;
    for v in vectors["acknowledgements"].as_array().unwrap() {
        let deployment = &vectors["deployments"][v["deployment"].as_u64().unwrap() as usize];
        let at = Deployment {
            chain_id: text(deployment, "chainId").parse().unwrap(),
            contract: text::address("contract", &text(deployment, "contract")).unwrap(),
        };
        let separator = acknowledgement::separator(&at);
        assert_eq!(text::hex(&separator), text(v, "separator"));
        let message = Acknowledgement {
            channel_id: text::channel_id("channelId", &text(&v["message"], "channelId")).unwrap(),
            cumulative_amount: text(&v["message"], "cumulativeAmount").parse().unwrap(),
            accepted_at: text(&v["message"], "acceptedAt").parse().unwrap(),
        };
        assert_eq!(Acknowledgement::TYPE, text(v, "typeText"));
        assert_eq!(text::hex(&message.struct_hash(&SoftKeccak)), text(v, "structHash"));
        let key = vectors["keys"].as_array().unwrap().iter().find(|k| k["address"] == v["signer"]).unwrap();
        let key = AcknowledgementKey::from_bytes(text::bytes(&text(key, "privateKey")).unwrap()).unwrap();
        // Both sides sign deterministically (RFC 6979), so even the bytes agree.
        let signature = key.sign(&message, &separator);
        assert_eq!((text::hex(&signature.0), key.address().to_string()), (text(v, "compact"), text(v, "signer")));
        assert_eq!(acknowledgement::signer(&message, &signature, &separator), Some(key.address()));
        seen += 1;
    }
    assert!(seen > 0);
}
