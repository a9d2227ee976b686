//! How a purse's records are written.

use super::{Kept, Purchase, Ticket};
use crate::{Channel, Error, Limits, PeriodLimit, limits::Spent, voucher::VoucherSigner};
use rivulet_core::{
    SoftKeccak,
    ids::{Address, ChannelNumber, ChannelTerms, Token},
    signature::CompactSignature,
};
use rivulet_rules::text;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelRecord {
    version: u8,
    site: String,
    book: u32,
    serial: u32,
    payer: String,
    payee: String,
    voucher_signer: String,
    token: String,
    challenge_period_secs: u32,
    opened_at: u64,
    #[serde(with = "super::units")]
    deposit: u128,
    #[serde(with = "super::units")]
    promised: u128,
    #[serde(with = "super::units")]
    accepted: u128,
    ended: bool,
    spent: Spent,
    last: Option<PurchaseRecord>,
    pending: Option<PurchaseRecord>,
    best: Option<PurchaseRecord>,
    // Not in records of version 1.
    #[serde(default, with = "super::units")]
    credit: u128,
    #[serde(default, with = "super::units")]
    aside: u128,
    #[serde(default)]
    tickets: Vec<TicketRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TicketRecord {
    request: String,
    #[serde(with = "super::units")]
    amount: u128,
    #[serde(with = "super::units")]
    cost: u128,
    nonce: String,
    valid_until: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PurchaseRecord {
    name: String,
    #[serde(with = "super::units")]
    amount: u128,
    #[serde(with = "super::units")]
    cumulative_amount: u128,
    signature: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SiteRecord {
    version: u8,
    site: String,
    token: String,
    total: Option<String>,
    per_period: Option<String>,
    period_secs: Option<u64>,
}

const VERSION: u8 = 2;
/// Without credit and tickets: a purchase from a paywall was a name.
const FIRST_VERSION: u8 = 1;
const SITE_VERSION: u8 = 1;

fn ticket_record(Ticket { request, amount, cost, nonce, valid_until }: &Ticket) -> TicketRecord {
    TicketRecord { request: request.clone(), amount: *amount, cost: *cost, nonce: text::hex(nonce), valid_until: *valid_until }
}

fn ticket(TicketRecord { request, amount, cost, nonce, valid_until }: TicketRecord) -> Result<Ticket, Why> {
    let nonce = text::bytes(&nonce).ok_or_else(|| format!("nonce: expected 0x and 64 hex digits, found {nonce:?}"))?;
    Ok(Ticket { request, amount, cost, nonce, valid_until })
}

fn purchase(p: &Purchase) -> PurchaseRecord {
    let Purchase { name, amount, cumulative_amount, signature } = p;
    PurchaseRecord { name: name.clone(), amount: *amount, cumulative_amount: *cumulative_amount, signature: text::hex(&signature.0) }
}

/// Why a record cannot be used.
type Why = String;

fn address(field: &'static str, given: &str) -> Result<Address, Why> {
    text::address(field, given).map_err(|e| e.to_string())
}

fn signed(record: PurchaseRecord, channel: &Channel, signer: &VoucherSigner) -> Result<Purchase, Why> {
    let PurchaseRecord { name, amount, cumulative_amount, signature } = record;
    let signature: CompactSignature = text::signature("signature", &signature).map_err(|e| e.to_string())?;
    // What is on the disk is believed no more than what a relayer says.
    signer.check(channel, cumulative_amount, &signature).map_err(|e| e.to_string())?;
    Ok(Purchase { name, amount, cumulative_amount, signature })
}

pub(super) fn channel_name(channel: &Channel) -> String {
    text::hex(&channel.id.0)
}

pub(super) fn write_channel(kept: &Kept) -> Vec<u8> {
    let Kept { channel, site, accepted, ended, spent, last, pending, best, credit, aside, tickets } = kept;
    let terms = &channel.terms;
    let record = ChannelRecord {
        version: VERSION,
        site: site.clone(),
        book: terms.number.book,
        serial: terms.number.serial,
        payer: terms.payer.to_string(),
        payee: terms.payee.to_string(),
        voucher_signer: terms.voucher_signer.to_string(),
        token: terms.token.to_string(),
        challenge_period_secs: terms.challenge_period_secs,
        opened_at: terms.opened_at,
        deposit: channel.deposit,
        promised: channel.promised,
        accepted: *accepted,
        ended: *ended,
        spent: *spent,
        last: last.as_ref().map(purchase),
        pending: pending.as_ref().map(purchase),
        best: best.as_ref().map(purchase),
        credit: *credit,
        aside: *aside,
        tickets: tickets.iter().map(ticket_record).collect(),
    };
    // Strings and numbers only: this cannot fail.
    serde_json::to_vec_pretty(&record).unwrap_or_default()
}

fn read_channel_of(bytes: &[u8], signer: &VoucherSigner) -> Result<Kept, Why> {
    let r: ChannelRecord = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    if !(FIRST_VERSION..=VERSION).contains(&r.version) {
        return Err(format!("expected version {VERSION} or older, found {}: a newer program wrote it", r.version));
    }
    let terms = ChannelTerms {
        number: ChannelNumber { book: r.book, serial: r.serial },
        payer: address("payer", &r.payer)?,
        payee: address("payee", &r.payee)?,
        voucher_signer: address("voucher_signer", &r.voucher_signer)?,
        token: address("token", &r.token)?,
        challenge_period_secs: r.challenge_period_secs,
        opened_at: r.opened_at,
    };
    let channel = Channel { terms, id: terms.channel_id(signer.deployment(), &SoftKeccak), deposit: r.deposit, promised: r.promised };
    let signed = |p: Option<PurchaseRecord>| p.map(|p| signed(p, &channel, signer)).transpose();
    let (last, pending, best) = (signed(r.last)?, signed(r.pending)?, signed(r.best)?);
    if r.accepted > r.promised || r.promised > r.deposit {
        return Err(format!("expected accepted ≤ promised ≤ deposit, found {}, {}, {}", r.accepted, r.promised, r.deposit));
    }
    let mut tickets = r.tickets.into_iter().map(ticket).collect::<Result<Vec<_>, _>>()?;
    if r.version == FIRST_VERSION {
        let named = |known: &Option<Purchase>, cost: fn(u128) -> u128| known.as_ref().and_then(|known| Ticket::read(&known.name, cost));
        tickets.extend(named(&last, |amount| amount).into_iter().chain(named(&pending, |_| 0)));
    }
    let (accepted, ended, spent, credit, aside) = (r.accepted, r.ended, r.spent, r.credit, r.aside);
    Ok(Kept { channel, site: r.site, accepted, ended, spent, last, pending, best, credit, aside, tickets })
}

/// A channel's record, if this is one.
pub(super) fn read_channel(name: &str, bytes: &[u8], signer: &VoucherSigner) -> Result<Option<Kept>, Error> {
    if !name.starts_with("0x") {
        return Ok(None);
    }
    let kept = read_channel_of(bytes, signer).map_err(|why| Error::BadRecord { name: name.into(), why })?;
    match channel_name(&kept.channel) == name {
        true => Ok(Some(kept)),
        false => Err(Error::BadRecord { name: name.into(), why: "it is of another channel, chain or contract".into() }),
    }
}

pub(super) fn site_name(site: &str, token: &Token) -> String {
    use rivulet_core::Keccak256;
    let hash = text::hex(&SoftKeccak.keccak256(&[&token.0[..], site.as_bytes()].concat()));
    format!("site-{}", hash.trim_start_matches("0x"))
}

pub(super) fn write_site(site: &str, token: &Token, limits: &Limits) -> Vec<u8> {
    let record = SiteRecord {
        version: SITE_VERSION,
        site: site.into(),
        token: token.to_string(),
        total: limits.total.map(|t| t.to_string()),
        per_period: limits.per_period.map(|p| p.amount.to_string()),
        period_secs: limits.per_period.map(|p| p.secs),
    };
    serde_json::to_vec_pretty(&record).unwrap_or_default()
}

/// A site's limits.
type SiteLimits = ((String, Token), Limits);

/// A site's limits, if this is such a record.
pub(super) fn read_site(name: &str, bytes: &[u8]) -> Result<Option<SiteLimits>, Error> {
    if !name.starts_with("site-") {
        return Ok(None);
    }
    let read = || -> Result<_, Why> {
        let r: SiteRecord = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        let amount = |given: Option<String>| given.map(|g| text::amount("limit", &g).map_err(|e| e.to_string())).transpose();
        let per_period = match (amount(r.per_period)?, r.period_secs) {
            (Some(amount), Some(secs)) => Some(PeriodLimit { amount, secs }),
            _ => None,
        };
        Ok(((r.site, address("token", &r.token)?), Limits { total: amount(r.total)?, per_period }))
    };
    read().map(Some).map_err(|why| Error::BadRecord { name: name.into(), why })
}
