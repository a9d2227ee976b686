//! The relayer's HTTP interface, as far as payers need it.

use crate::{Error, SignedVoucher};
use rivulet_core::signature::CompactSignature;
use rivulet_rules::text;
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// A voucher as JSON carries it. Amounts are strings: they do not fit into a JavaScript number.
#[derive(Serialize)]
struct VoucherJson {
    book: u32,
    serial: u32,
    channel_id: String,
    cumulative_amount: String,
    signature: String,
}

impl From<&SignedVoucher> for VoucherJson {
    fn from(v: &SignedVoucher) -> Self {
        Self {
            book: v.number.book,
            serial: v.number.serial,
            channel_id: text::hex(&v.channel_id.0),
            cumulative_amount: v.cumulative_amount.to_string(),
            signature: text::hex(&v.signature.0),
        }
    }
}

/// Why a relayer did not take something. `code` is stable.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// What went wrong, for programs.
    pub code: String,
    /// What went wrong, for people.
    pub detail: String,
    /// The field at fault.
    pub field: Option<String>,
    /// What would have been taken.
    pub expected: Option<String>,
    /// What came.
    pub given: Option<String>,
    /// The highest voucher that the relayer has: where to go on from.
    pub best: Option<BestJson>,
}

/// The highest voucher of a channel that the relayer has.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct BestJson {
    /// Its total.
    pub cumulative_amount: String,
    /// Its signature: the client's own, which proves that the relayer did not make the total up.
    pub signature: String,
}

impl BestJson {
    /// Its total and signature, if they are well-formed.
    pub fn read(&self) -> Option<(u128, CompactSignature)> {
        Some((text::amount("cumulative_amount", &self.cumulative_amount).ok()?, text::signature("signature", &self.signature).ok()?))
    }
}

impl Problem {
    /// True when the same request may be taken in a moment.
    pub fn is_retryable(&self) -> bool {
        matches!(self.status, 503 | 504)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.detail, self.code)
    }
}

/// What became of one voucher of a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BatchOutcome {
    /// It is stored durably.
    Accepted,
    /// It was not taken.
    Rejected(Problem),
}

/// A relayer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Relayer {
    base: String,
    http: reqwest::Client,
}

/// A relayer answers after one write to its disk; this is for the network and for one that restarts.
const TIMEOUT: Duration = Duration::from_secs(15);

impl Relayer {
    /// At a URL such as `http://127.0.0.1:8790`.
    ///
    /// # Errors
    ///
    /// When the system gives no HTTP client.
    pub fn new(url: impl Into<String>) -> Result<Self, Error> {
        let http = reqwest::Client::builder().timeout(TIMEOUT).build().map_err(Error::Unreachable)?;
        Ok(Self { base: url.into().trim_end_matches('/').to_owned(), http })
    }

    async fn post(&self, path: &str, body: &impl Serialize) -> Result<reqwest::Response, Error> {
        self.http.post(format!("{}{path}", self.base)).json(body).send().await.map_err(Error::Unreachable)
    }

    /// Hands over a voucher. When this returns, the relayer has it on its disk. The same voucher may be sent again.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] with what is needed to go on; [`Error::Unreachable`] when it is not known whether the relayer has it.
    pub async fn pay(&self, voucher: &SignedVoucher) -> Result<(), Error> {
        let response = self.post("/v1/vouchers", &VoucherJson::from(voucher)).await?;
        if response.status().is_success() {
            return Ok(());
        }
        Err(Error::Rejected(Box::new(problem(response).await?)))
    }

    /// Hands over many vouchers. The outcomes are in their order; one that is refused stops no other.
    ///
    /// # Errors
    ///
    /// When the relayer refused the batch as a whole, or it is not known whether it has it.
    pub async fn pay_batch(&self, vouchers: &[SignedVoucher]) -> Result<Vec<BatchOutcome>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            results: Vec<OneResult>,
        }
        #[derive(Deserialize)]
        struct OneResult {
            problem: Option<Problem>,
        }
        let body: Vec<_> = vouchers.iter().map(VoucherJson::from).collect();
        let response = self.post("/v1/vouchers/batch", &body).await?;
        if !response.status().is_success() {
            return Err(Error::Rejected(Box::new(problem(response).await?)));
        }
        let answer: Answer = response.json().await.map_err(|e| Error::Answer(e.to_string()))?;
        if answer.results.len() != vouchers.len() {
            return Err(Error::Answer(format!("expected {} results, given {}", vouchers.len(), answer.results.len())));
        }
        Ok(answer.results.into_iter().map(|r| r.problem.map_or(BatchOutcome::Accepted, BatchOutcome::Rejected)).collect())
    }
}

async fn problem(response: reqwest::Response) -> Result<Problem, Error> {
    let status = response.status();
    let body = response.text().await.map_err(Error::Unreachable)?;
    // A proxy in between answers in its own way.
    serde_json::from_str(&body).map_err(|_| Error::Answer(format!("{status}: {}", text::shown(&body))))
}
