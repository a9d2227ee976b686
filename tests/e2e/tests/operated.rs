//! A relayer as its operator meets it, on a real node: what it signs for, what it would claim and why not, its counters, a claim on demand.
//!
//! ```text
//! paid, nothing claimed yet ── each voucher has its receipt ── the dry run beside the running relayer says why nothing goes
//!                           ── with value asked for again, what would go and at what fee ── restarted so, it goes ── counted, by day, with its fees
//! ```

mod support;

use rivulet_client::{Relayer, relay::BatchOutcome};
use rivulet_e2e::{
    harness::{Daemon, built},
    story::opening,
};
use rivulet_rules::{acknowledgement::AcknowledgementKey, chain::ContractKind};
use serde_json::Value;
use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

const TOKEN: &str = "a token of some length";

/// `rivulet relay --dry-run --json` on the relayer's own configuration, `value_bps` asked for.
fn dry_run(daemon: &Daemon, value_bps: u32) -> Value {
    let mut command = Command::new(built("rivulet").unwrap());
    command.args(["relay", "--dry-run", "--json", "--config"]).arg(daemon.config_path());
    let output = command.env("RIVULET__BATCH__MIN_VALUE_BPS", value_bps.to_string()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn metric(url: &str, name: &str) -> f64 {
    let text = reqwest::get(format!("{url}/metrics")).await.unwrap().text().await.unwrap();
    let line = text.lines().find(|l| l.starts_with(name) && !l.starts_with('#')).unwrap_or_else(|| panic!("no {name} in\n{text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_sees_what_goes_and_why_not_and_a_payer_has_proof() {
    let options = ["--payers", "1", "--creators", "1", "--streams", "0", "--vouchers", "100"];
    // Nothing is ever worth a hundred times its cost here.
    let (play, mut daemon) = support::stage(&options, |flags| flags.min_value_bps = 1_000_000).await;
    let key = AcknowledgementKey::from_bytes([9; 32]).unwrap();
    let secrets = daemon.config_path().with_file_name("secrets");
    fs::create_dir(&secrets).unwrap();
    fs::write(secrets.join("acknowledge.key"), format!("0x{}", "09".repeat(32))).unwrap();
    fs::write(secrets.join("admin.token"), TOKEN).unwrap();
    let mut config = fs::read_to_string(daemon.config_path()).unwrap();
    config += &format!("\n[acknowledge]\nkey_file = \"{0}/acknowledge.key\"\n[admin]\ntoken_file = \"{0}/admin.token\"\n", secrets.display());
    fs::write(daemon.config_path(), &config).unwrap();
    daemon.stop().await.unwrap();
    daemon.launch().unwrap();
    daemon.wait_ready().await.unwrap();

    let mut channels = opening::open(&play).await.unwrap();
    let (payer, at) = (&play.cast.pay[0], play.cast.pay[0].chain().binding(ContractKind::Channels));
    let relayer = Relayer::new(daemon.url()).unwrap().acknowledged_by(key.address(), at);
    let half = channels[0].deposit / 2;
    let voucher = channels[0].pay(payer.vouchers(), half).unwrap();
    let begun = Instant::now();
    let receipt = loop {
        // The block that opened it is final, but the relayer may not have it yet.
        match relayer.pay_batch(&[voucher]).await.unwrap().remove(0) {
            BatchOutcome::Accepted(receipt) => break receipt.unwrap(),
            BatchOutcome::Rejected(problem) => assert!(begun.elapsed() < Duration::from_secs(20), "{problem}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(receipt.is_genuine(&at) && receipt.acknowledgement.cumulative_amount == half);
    assert_eq!(relayer.pay(&voucher).await.unwrap(), Some(receipt));

    let seen = dry_run(&daemon, 1_000_000);
    assert_eq!((seen["batches"].as_array().unwrap().len(), &seen["rows"][0]["is_claimed"]), (0, &Value::Bool(false)), "{seen}");
    assert_eq!(seen["rows"][0]["gain"], half.to_string());
    assert!(["below_cost", "with_others", "too_dear"].contains(&seen["rows"][0]["code"].as_str().unwrap()), "{seen}");
    let seen = dry_run(&daemon, 0);
    assert_eq!((&seen["batches"][0]["rows"], &seen["rows"][0]["is_claimed"]), (&Value::from(1), &Value::Bool(true)), "{seen}");
    assert!(seen["batches"][0]["fee_planck"].as_u64().unwrap() > 1_000_000, "{seen}");
    let url = daemon.url();
    assert_eq!(metric(&url, "rivulet_open_intents").await, 0.0);
    assert!(metric(&url, "rivulet_lane_balance_planck").await > 1e10);

    // From now on whatever is pending goes: at the operator's word, not at the next tick.
    let config = config.replace("min_value_bps = 1000000", "min_value_bps = 0");
    fs::write(daemon.config_path(), config).unwrap();
    daemon.stop().await.unwrap();
    daemon.launch().unwrap();
    daemon.wait_ready().await.unwrap();
    let claim = reqwest::Client::new().post(format!("{url}/v1/admin/claim"));
    assert_eq!(claim.try_clone().unwrap().send().await.unwrap().status().as_u16(), 401);
    assert!(claim.bearer_auth(TOKEN).send().await.unwrap().status().is_success());
    let begun = Instant::now();
    // Streams have a line of their own, in no certain order.
    while metric(&url, "rivulet_claim_fees_planck_total{contract=\"channels\"").await == 0.0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing was claimed");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let days = format!("{url}/v1/payees/{}/earnings?by=day&format=csv", channels[0].terms.payee);
    let csv = reqwest::get(days).await.unwrap().text().await.unwrap();
    let claimed: u128 = csv.lines().skip(1).map(|l| l.split(',').nth(7).unwrap().parse::<u128>().unwrap()).sum();
    assert_eq!(claimed, half, "{csv}");
    support::strike(play, daemon).await;
}
