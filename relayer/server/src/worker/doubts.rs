//! Signs that the database is an old copy: said at the start, for a person to read. Claiming goes on, since it can do no harm: a voucher is a total, and
//! the chain refuses what was paid.

use super::{WorkError, Worker};
use rivulet_rules::{chain::BlockHead, statement::time_text};
use rivulet_store::Doubts;

/// Channels named in one line.
const NAMED: usize = 5;

impl Worker {
    /// One sentence a sign, with what is missing; none when there is no sign.
    ///
    /// # Errors
    /// When the chain or the store does not answer.
    pub async fn doubts(&self, head: &BlockHead) -> Result<Vec<String>, WorkError> {
        // Of several keys the first tells: it is the one that sends when there is little to send.
        let first = self.network.relayer_account;
        let doubts = self.store.take_doubts(first).await?;
        let used = self.chain.nonce_at(first, head.block).await?;
        Ok(sentences(&doubts, used))
    }
}

fn when(ms: u64) -> String {
    time_text(ms / 1_000)
}

fn sentences(doubts: &Doubts, nonces_used: u64) -> Vec<String> {
    let mut found = Vec::new();
    let last = match doubts.last_accepted_ms {
        0 => "it has no voucher".to_owned(),
        at => format!("its last voucher is of {}", when(at)),
    };
    if let Some(taken) = doubts.taken_ms {
        found.push(format!(
            "the database was put back from a backup of {}: {last}; vouchers accepted since are missing, and come back as their payers pay on",
            when(taken)
        ));
    }
    if let Some(mark) = doubts.mark {
        found.push(format!(
            "the database is older than what stood in its place: {last}, but one of {} was accepted here; vouchers accepted in between are missing",
            when(mark.last_accepted_ms)
        ));
    }
    if doubts.claimed_above_count > 0 {
        let named: Vec<_> = doubts
            .claimed_above
            .iter()
            .take(NAMED)
            .map(|c| format!("{} (payee {}: {} claimed, best voucher {})", c.number, c.payee, c.claimed, c.best))
            .collect();
        let more = if doubts.claimed_above_count > named.len() as u64 { ", …" } else { "" };
        found.push(format!(
            "{} channels were claimed above the best voucher in the database: their payees claimed with later vouchers, or the database is an old copy; \
             what was claimed is paid, so nothing of it is lost: {}{more}",
            doubts.claimed_above_count,
            named.join(", ")
        ));
    }
    if let Some(next) = doubts.next_nonce.filter(|next| nonces_used > *next) {
        found.push(format!(
            "{} transactions of this relayer's key are final that the database does not know: the key is used elsewhere, or the database is an old copy",
            nonces_used - next
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use rivulet_core::ids::{Address, Number};
    use rivulet_store::{ClaimedAbove, Mark};

    #[test]
    fn a_database_that_is_as_it_should_be_raises_no_doubt() {
        let doubts = Doubts { last_accepted_ms: 1_800_000_000_000, next_nonce: Some(7), ..Doubts::default() };
        assert!(sentences(&doubts, 7).is_empty());
        // A key that was used before this database began, and never by it.
        assert!(sentences(&Doubts::default(), 7).is_empty());
    }

    #[test]
    fn each_sign_is_a_sentence_that_says_what_is_missing() {
        let above = ClaimedAbove { number: Number { book: 3, serial: 1 }, payee: Address([0xa1; 20]), best: 10, claimed: 25 };
        let doubts = Doubts {
            taken_ms: Some(1_800_000_000_000),
            last_accepted_ms: 1_799_999_000_000,
            mark: Some(Mark { generation: 4, last_accepted_ms: 1_800_000_500_000 }),
            claimed_above: vec![above],
            claimed_above_count: 2,
            next_nonce: Some(7),
        };
        let said = sentences(&doubts, 9);
        for (sentence, expected) in said.iter().zip([
            &["backup of 2027-01-15", "missing"][..],
            &["older than what stood in its place", "2027-01-15"],
            &["2 channels were claimed above", "25 claimed, best voucher 10", "…"],
            &["2 transactions of this relayer's key"],
        ]) {
            assert!(expected.iter().all(|part| sentence.contains(part)), "{sentence}");
        }
        assert_eq!(said.len(), 4);
    }
}
