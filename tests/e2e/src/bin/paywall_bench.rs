//! Measures what a paywall costs in front of nginx: the same file from nginx itself, passed through, refused, and paid for in two ways, in turns, by wrk.

use clap::Parser;
use rivulet_client::{
    Channel, OpenChannel, VoucherSigner,
    buy::{Purchase, payment},
};
use rivulet_core::ids::Deployment;
use rivulet_e2e::{
    Context, Error, Result,
    harness::{Folder, Nginx, PaywallFlags, Wall},
    story::{
        opening::CHALLENGE_SECS,
        options::Options,
        plan::Coin,
        raise,
        screen::{Screen, To},
    },
};
use rivulet_paywall::{paywall::now, store::Store};
use rivulet_rules::chain::ContractKind;
use std::{
    fmt::Write as _,
    fs,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// Writes a table of ratios as Markdown. Needs nginx and wrk, and `rivulet` and `rivulet-node` beside it: `scripts/bench paywall` sees to that.
#[derive(Parser, Clone, Debug)]
struct Args {
    /// How long each measurement takes.
    #[arg(long, default_value_t = 5)]
    seconds: u32,
    /// How often each is made; the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Connections at once.
    #[arg(long, default_value_t = 32)]
    connections: u32,
    /// How many paid requests a second are prepared.
    #[arg(long, default_value_t = 12_000)]
    prepared_per_sec: u32,
    /// In little time, and with the books: every answer's status is looked at (which makes wrk slower), and what was charged is compared with what was served and
    /// what the relayer has. Fails when anything is not as it must be.
    #[arg(long)]
    quick: bool,
}

const THREADS: usize = 2;
const PATH: &str = "/articles/1";
/// Of an article, and what was promised before the paywall knew the channel, in units.
const PRICE: u128 = 1;
const BEFORE: u128 = 1;

const SCRIPT: &str = r#"
local count = 0
function setup(thread) thread:set("id", count); count = count + 1 end
function init(args)
  headers = {}
  for line in io.lines(args[1] .. "." .. id) do headers[#headers + 1] = line end
  at = 0
end
function request()
  at = at + 1
  -- When all are used up it is refused, and counted: then more must be prepared.
  return wrk.format("GET", nil, { ["PAYMENT-SIGNATURE"] = headers[at] or "" })
end
"#;

/// Counts answers by status, for `--quick`.
const COUNTING: &str = r#"
local threads, before = {}, setup
function setup(thread)
  threads[#threads + 1] = thread
  if before then before(thread) end
end
ok, unpaid, other = 0, 0, 0
function response(status)
  if status == 200 then ok = ok + 1 elseif status == 402 then unpaid = unpaid + 1 else other = other + 1 end
end
function done()
  local sum = { ok = 0, unpaid = 0, other = 0 }
  for _, thread in ipairs(threads) do
    for name, count in pairs(sum) do sum[name] = count + thread:get(name) end
  end
  print(string.format("Statuses: %d %d %d", sum.ok, sum.unpaid, sum.other))
end
"#;

/// How an answer must be: every one of a measurement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Must {
    Be200,
    Be402,
}

#[derive(Clone, Copy, Debug)]
struct Measured {
    /// Answers, when they were counted.
    count: u64,
    per_sec: f64,
    p50_ms: f64,
    p99_ms: f64,
}

fn number(text: &str) -> Option<f64> {
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (digits, unit) = text.split_at(at);
    let scale = match unit {
        "us" => 0.001,
        "ms" => 1.0,
        "s" => 1_000.0,
        _ => return None,
    };
    Some(digits.parse::<f64>().ok()? * scale)
}

/// Runs wrk.
fn wrk(args: &Args, url: &str, headers: Option<&Path>, scripts: &Scripts, must: Must) -> Result<Measured> {
    let mut command = Command::new("wrk");
    command.args(["--latency", &format!("-t{THREADS}"), &format!("-c{}", args.connections), &format!("-d{}s", args.seconds)]);
    match headers {
        Some(_) => drop(command.arg("-s").arg(&scripts.paying)),
        None if args.quick => drop(command.arg("-s").arg(&scripts.asking)),
        None => {}
    }
    command.arg(url);
    if let Some(headers) = headers {
        command.arg("--").arg(headers);
    }
    let output = command.output().doing("running wrk: scripts/setup test installs it")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let word = |after: &str| text.lines().find_map(|l| Some(l.trim().strip_prefix(after)?.trim().to_owned()));
    let cannot = || Error::new(format!("cannot read wrk's output:\n{text}{}", String::from_utf8_lossy(&output.stderr)));
    let wrong = || Error::new(format!("{url}: every answer must {must:?} (are enough payments prepared? --prepared-per-sec):\n{text}"));
    if word("Non-2xx or 3xx responses:").is_some() != (must == Must::Be402) || word("Socket errors:").is_some() {
        return Err(wrong());
    }
    let mut count = 0;
    if args.quick {
        let counted: Vec<u64> = word("Statuses:").ok_or_else(cannot)?.split(' ').filter_map(|n| n.parse().ok()).collect();
        count = match (&counted[..], must) {
            ([ok, 0, 0], Must::Be200) if *ok > 0 => *ok,
            ([0, unpaid, 0], Must::Be402) if *unpaid > 0 => *unpaid,
            _ => return Err(wrong()),
        };
    }
    let per_sec = word("Requests/sec:").and_then(|w| w.parse().ok()).ok_or_else(cannot)?;
    let at = |name: &str| word(name).as_deref().and_then(number);
    Ok(Measured { count, per_sec, p50_ms: at("50%").ok_or_else(cannot)?, p99_ms: at("99%").ok_or_else(cannot)? })
}

/// wrk's scripts.
struct Scripts {
    paying: PathBuf,
    asking: PathBuf,
}

impl Scripts {
    fn write(folder: &Path, is_counting: bool) -> Result<Self> {
        let scripts = Self { paying: folder.join("pay.lua"), asking: folder.join("ask.lua") };
        let counting = if is_counting { COUNTING } else { "" };
        fs::write(&scripts.paying, format!("{SCRIPT}{counting}")).doing("writing wrk's script")?;
        fs::write(&scripts.asking, counting).doing("writing wrk's script")?;
        Ok(scripts)
    }
}

/// Does what was charged fit what was served, what wrk saw, and what the relayer has? Says so, or fails.
async fn check_books(wall: &Wall, relayer: &rivulet_client::Relayer, channel: &Channel, seen: u64, open_requests: u64) -> Result<String> {
    let http = reqwest::Client::new();
    let metric = async |name: &str| -> Result<u128> {
        let text =
            http.get(wall.metrics_url()).send().await.doing("reading the paywall's metrics")?.text().await.doing("reading the paywall's metrics")?;
        let line = text.lines().find_map(|l| l.strip_prefix(name)).ok_or_else(|| Error::new(format!("no {name} in\n{text}")))?;
        line.trim().parse::<f64>().map(|n| n as u128).doing(format!("reading {name}"))
    };
    // wrk goes in the middle of its last requests: those end too.
    let granted = "rivulet_paywall_requests_total{outcome=\"granted\"}";
    let mut before = None;
    while before != Some(metric(granted).await?) {
        before = Some(metric(granted).await?);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let (granted, counted) = (metric(granted).await?, metric("rivulet_paywall_charged_units_total{token=\"usdc\"}").await?);
    let store = Store::beside(&wall.database_path()).doing("opening the paywall's database")?;
    let sales = store.purchases(None, u32::MAX).doing("reading the paywall's database")?;
    let account = store
        .channel(&channel.id)
        .doing("reading the paywall's database")?
        .ok_or_else(|| Error::new("the paywall does not know the channel"))?
        .account;
    let best = relayer.best(channel.number()).await?.and_then(|best| Some(best.read()?.0)).unwrap_or_default();
    let (served, charged, sold) = (sales.len() as u128, account.charged - BEFORE, sales.iter().map(|row| row.charged).sum::<u128>());
    let said = format!(
        "{served} purchases served, {charged} units charged, {best} accepted by the relayer ({BEFORE} before the paywall), wrk saw {seen} paid answers"
    );
    let fits = [
        ("each purchase served is charged its price", charged == served * PRICE && sold == charged && sales.iter().all(|row| row.charged == PRICE)),
        ("what is counted is what is on disk", granted == served && counted == charged && account.returned == 0),
        ("whatever was seen was sold, and little else", (u128::from(seen)..=u128::from(seen + open_requests)).contains(&served)),
        ("the relayer has accepted all that was charged", best >= account.charged && account.accepted <= best),
    ];
    match fits.iter().find(|(_, holds)| !holds) {
        Some((rule, _)) => {
            Err(Error::new(format!("the books do not fit: {rule}\n{said}, {sold} in purchases, {granted} granted, {counted} counted, {account:?}")))
        }
        None => Ok(said),
    }
}

struct Payer {
    channel: Channel,
    signer: VoucherSigner,
    at: Deployment,
    host: String,
    nonce: u64,
}

impl Payer {
    /// Signs so many purchases of one unit into a file a thread; each with a voucher of its own, or all with one.
    fn prepare(&mut self, path: &Path, count: u32, is_credit: bool) -> Result<()> {
        let mut files = Vec::new();
        for thread in 0..THREADS {
            let name = format!("{}.{thread}", path.display());
            files.push(BufWriter::new(fs::File::create(name).doing("writing prepared payments")?));
        }
        if is_credit {
            self.channel.pay(&self.signer, u128::from(count) * PRICE)?;
        }
        for n in 0..count {
            let voucher = self.channel.pay(&self.signer, if is_credit { 0 } else { PRICE })?;
            self.nonce += 1;
            let mut nonce = [0; 32];
            nonce[..8].copy_from_slice(&self.nonce.to_be_bytes());
            let request = format!("GET {}{PATH}", self.host);
            let purchase = Purchase { channel_id: self.channel.id, amount: PRICE, request, nonce, valid_until: now() + 290 };
            let header = payment(&self.channel, &voucher, &self.signer, &self.at, &purchase);
            let file = &mut files[n as usize % THREADS];
            writeln!(file, "{header}").doing("writing prepared payments")?;
        }
        files.iter_mut().try_for_each(|f| f.flush()).doing("writing prepared payments")
    }
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of.get(of.len() / 2).copied().unwrap_or_default()
}

fn table(rows: &[(&str, Vec<Measured>)]) -> String {
    let medians: Vec<_> = rows
        .iter()
        .map(|(name, all)| {
            let of = |f: fn(&Measured) -> f64| median(all.iter().map(f).collect());
            (*name, Measured { count: 0, per_sec: of(|m| m.per_sec), p50_ms: of(|m| m.p50_ms), p99_ms: of(|m| m.p99_ms) })
        })
        .collect();
    let mut out =
        String::from("| request | requests/s | p50, ms | p99, ms | requests/s, ratio | p50, ratio | p99, ratio |\n|---|---|---|---|---|---|---|\n");
    let Some((_, base)) = medians.first().copied() else { return out };
    for (name, m) in medians {
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "| {name} | {:.0} | {:.2} | {:.2} | {:.3} | {:.1} | {:.1} |",
            m.per_sec,
            m.p50_ms,
            m.p99_ms,
            m.per_sec / base.per_sec,
            m.p50_ms / base.p50_ms,
            m.p99_ms / base.p99_ms
        );
    }
    out
}

async fn measure(args: Args) -> Result<String> {
    let options = Options::parse_from(["story", "--payers", "1", "--creators", "1", "--streams", "0", "--vouchers", "100"]);
    // It looks for nothing to claim meanwhile.
    let quiet = |flags: &mut rivulet_e2e::harness::RelayerFlags| (flags.interval_ms, flags.enough_vouchers) = (86_400_000, usize::MAX >> 1);
    let (mut play, mut daemon) = raise(options, Screen::new(To::Nowhere), Folder::new()?, quiet).await?;
    let folder: PathBuf = play.stage.folder.path().to_owned();
    let web = Nginx::start(&folder).await?;
    let page = vec![b'x'; 1_024];
    web.put(PATH, &page)?;
    web.put("/free", &page)?;
    let payee = play.cast.creators[0].address();
    let flags = PaywallFlags {
        upstream: web.url(),
        payee,
        relayer: daemon.url(),
        deployment: play.stage.deployment_path(),
        node_url: play.stage.node.url(),
        prices: vec!["/articles/*=0.000001usdc".into()],
        tls: None,
        more: Vec::new(),
    };
    let mut wall = Wall::start(&folder, flags).await?;
    let payer = &play.cast.pay[0];
    let wanted = OpenChannel { payee, token: Coin::Usdc.token(), challenge_period_secs: CHALLENGE_SECS, amount: 5_000_000 };
    let channel = payer.open(&wanted).await?;
    let mut payer =
        Payer { channel, signer: payer.vouchers().clone(), at: payer.chain().binding(ContractKind::Channels), host: wall.host(), nonce: 0 };
    let (first, begun) = (payer.channel.pay(&payer.signer, BEFORE)?, Instant::now());
    let relayer = rivulet_client::Relayer::new(daemon.url())?;
    while let Err(e) = relayer.pay(&first).await {
        if begun.elapsed() > Duration::from_secs(20) {
            return Err(e.into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Nothing more is needed of the chain, and it would take a part of the processor.
    play.stage.node.set_sealing(false).await?;

    let scripts = Scripts::write(&folder, args.quick)?;
    let (bare, free, priced) = (format!("{}/free", web.url()), format!("{}/free", wall.url()), format!("{}{PATH}", wall.url()));
    let prepared = folder.join("payments");
    let count = args.prepared_per_sec * args.seconds;
    let mut rows = [
        ("nginx alone", Vec::new()),
        ("free, passed through", Vec::new()),
        ("not paid: 402", Vec::new()),
        ("paid, from credit: a purchase", Vec::new()),
        ("paid: a new voucher and a purchase", Vec::new()),
    ];
    for round in 1..=args.rounds {
        eprintln!("round {round} of {}", args.rounds);
        rows[0].1.push(wrk(&args, &bare, None, &scripts, Must::Be200)?);
        rows[1].1.push(wrk(&args, &free, None, &scripts, Must::Be200)?);
        rows[2].1.push(wrk(&args, &priced, None, &scripts, Must::Be402)?);
        payer.prepare(&prepared, count, true)?;
        rows[3].1.push(wrk(&args, &priced, Some(&prepared), &scripts, Must::Be200)?);
        payer.prepare(&prepared, count, false)?;
        rows[4].1.push(wrk(&args, &priced, Some(&prepared), &scripts, Must::Be200)?);
    }
    let mut said = table(&rows);
    if args.quick {
        let seen = rows[3..].iter().flat_map(|(_, all)| all).map(|m| m.count).sum();
        let open_requests = 2 * args.rounds as u64 * u64::from(args.connections);
        // Writing to a String cannot fail.
        let _ = writeln!(said, "\n{}", check_books(&wall, &relayer, &payer.channel, seen, open_requests).await?);
    }
    wall.stop().await?;
    daemon.stop().await?;
    play.stage.node.stop().await?;
    Ok(said)
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    print!("{}", measure(args).await?);
    Ok(())
}
