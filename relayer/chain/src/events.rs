//! The contracts' events, from the chain's records.

use crate::{
    Error, RawEvent,
    abi::{both::Both::BothEvents, channels::Channels::ChannelsEvents, from_sol, streams::Streams::StreamsEvents},
};
use alloy_primitives::B256;
use alloy_sol_types::SolEventInterface;
use rivulet_core::{
    SoftKeccak,
    fee::RelayTerms,
    ids::{ChannelId, ChannelTerms, Deployment, Number, StreamId},
    outcome::RowOutcome,
};
use rivulet_rules::chain::{ClaimedRow, ContractEvent, ContractKind};

/// Bytes of a row in `Claimed`: serial, outcome, total.
const ROW_BYTES: usize = 4 + 1 + 16;

fn rows(bytes: &[u8]) -> Result<Vec<ClaimedRow>, Error> {
    let (rows, rest) = bytes.as_chunks::<ROW_BYTES>();
    if !rest.is_empty() {
        return Err(Error::decode("Claimed.rows", format!("expected rows of {ROW_BYTES} bytes, given {} bytes", bytes.len())));
    }
    rows.iter()
        .map(|[s0, s1, s2, s3, outcome, total @ ..]| {
            let known = RowOutcome::from_code(*outcome).ok_or_else(|| Error::decode("Claimed.rows", format!("unknown outcome {outcome}")))?;
            Ok(ClaimedRow { serial: u32::from_be_bytes([*s0, *s1, *s2, *s3]), outcome: known, total: u128::from_be_bytes(*total) })
        })
        .collect()
}

/// An event of one of the two contracts; `None` for one that the relayer does not follow. `at` is the emitting contract.
///
/// # Errors
///
/// When a known event cannot be read, or a channel's id is not the hash of its terms: then the contract is another one than this program knows, and
/// its vouchers would be worth nothing.
pub fn decode_event(kind: ContractKind, at: &Deployment, event: &RawEvent) -> Result<Option<ContractEvent>, Error> {
    let topics: Vec<B256> = event.topics.iter().map(|t| B256::new(*t)).collect();
    let Some(first) = topics.first() else { return Ok(None) };
    let wrong = |e: alloy_sol_types::Error| Error::decode("a contract's event", e);
    if BothEvents::SELECTORS.contains(&first.0) {
        return both(BothEvents::decode_raw_log(&topics, &event.data).map_err(wrong)?);
    }
    match kind {
        ContractKind::Channels if ChannelsEvents::SELECTORS.contains(&first.0) => {
            channels(ChannelsEvents::decode_raw_log(&topics, &event.data).map_err(wrong)?, at).map(Some)
        }
        ContractKind::Streams if StreamsEvents::SELECTORS.contains(&first.0) => {
            Ok(streams(StreamsEvents::decode_raw_log(&topics, &event.data).map_err(wrong)?))
        }
        _ => {
            tracing::debug!(?kind, topic = %first, "an event this program does not know");
            Ok(None)
        }
    }
}

fn both(event: BothEvents) -> Result<Option<ContractEvent>, Error> {
    Ok(Some(match event {
        BothEvents::BookCreated(e) => ContractEvent::BookCreated { book: e.book, payee: from_sol(&e.payee), token: from_sol(&e.token) },
        BothEvents::TermsSet(e) => ContractEvent::TermsSet {
            book: e.book,
            terms: RelayTerms { beneficiary: from_sol(&e.beneficiary), fee_bps: e.feeBps, flat_fee: e.flatFee, min_gain: e.minGain, until: e.until },
        },
        BothEvents::Claimed(e) => ContractEvent::Claimed { book: e.book, gain: e.gain, fee: e.fee, rows: rows(&e.rows)? },
        BothEvents::Credited(e) => ContractEvent::Credited { owner: from_sol(&e.owner), token: from_sol(&e.token), amount: e.amount },
        BothEvents::ToppedUp(e) => ContractEvent::ToppedUp { number: Number { book: e.book, serial: e.serial }, deposit: e.deposit },
        BothEvents::Refunded(e) => {
            ContractEvent::Refunded { number: Number { book: e.book, serial: e.serial }, amount: e.amount, deposit: e.deposit }
        }
        // Concern others alone.
        BothEvents::Collected(_) | BothEvents::NonceUsed(_) | BothEvents::Swept(_) => return Ok(None),
    }))
}

fn channels(event: ChannelsEvents, at: &Deployment) -> Result<ContractEvent, Error> {
    Ok(match event {
        ChannelsEvents::ChannelOpened(e) => {
            let terms = ChannelTerms {
                number: Number { book: e.book, serial: e.serial },
                payer: from_sol(&e.payer),
                payee: from_sol(&e.payee),
                voucher_signer: from_sol(&e.voucherSigner),
                token: from_sol(&e.token),
                challenge_period_secs: e.challengePeriodSecs,
                opened_at: e.openedAt,
            };
            let expected = terms.channel_id(at, &SoftKeccak);
            if expected.0 != e.channelId.0 {
                let detail = format!("channel {}: expected id 0x{}, given {}", terms.number, hex::encode(expected.0), e.channelId);
                return Err(Error::decode("ChannelOpened", detail));
            }
            ContractEvent::ChannelOpened { terms, channel_id: ChannelId(e.channelId.0), amount: e.amount }
        }
        ChannelsEvents::CloseRequested(e) => ContractEvent::CloseRequested { number: Number { book: e.book, serial: e.serial }, due_at: e.dueAt },
        ChannelsEvents::RefundRequested(e) => {
            ContractEvent::RefundRequested { number: Number { book: e.book, serial: e.serial }, amount: e.amount, due_at: e.dueAt }
        }
        ChannelsEvents::Closed(e) => {
            ContractEvent::Closed { number: Number { book: e.book, serial: e.serial }, claimed: e.claimed, refund: e.refund }
        }
    })
}

fn streams(event: StreamsEvents) -> Option<ContractEvent> {
    let changed = |book, serial| ContractEvent::StreamChanged { number: Number { book, serial } };
    Some(match event {
        StreamsEvents::StreamCreated(e) => {
            let number = Number { book: e.book, serial: e.serial };
            let (payer, payee, token) = (from_sol(&e.payer), from_sol(&e.payee), from_sol(&e.token));
            ContractEvent::StreamCreated { number, stream_id: StreamId(e.streamId.0), payer, payee, token, memo: e.memo.0 }
        }
        StreamsEvents::StreamPaused(e) => changed(e.book, e.serial),
        StreamsEvents::StreamResumed(e) => changed(e.book, e.serial),
        StreamsEvents::RateAdjusted(e) => changed(e.book, e.serial),
        StreamsEvents::StreamCancelled(e) => {
            ContractEvent::StreamCancelled { number: Number { book: e.book, serial: e.serial }, due: e.due, refund: e.refund }
        }
        StreamsEvents::StreamVoided(e) => {
            ContractEvent::StreamVoided { number: Number { book: e.book, serial: e.serial }, due: e.due, written_off: e.writtenOff }
        }
        StreamsEvents::StreamHandedOver(e) => ContractEvent::StreamHandedOver {
            number: Number { book: e.book, serial: e.serial },
            new_number: Number { book: e.newBook, serial: e.newSerial },
            from: from_sol(&e.from),
            to: from_sol(&e.to),
        },
        // What a payer may do changes; what is owed does not.
        StreamsEvents::StreamRenounced(_) | StreamsEvents::DelegateSet(_) => return None,
        StreamsEvents::StreamEnded(e) => {
            ContractEvent::StreamEnded { number: Number { book: e.book, serial: e.serial }, paid: e.paid, remainder: e.remainder }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::{both::Both, channels::Channels, streams::Streams};
    use alloy_primitives::Address as SolAddress;
    use alloy_sol_types::SolEvent;
    use rivulet_core::ids::Address;

    const AT: Deployment = Deployment { chain_id: 420_420_420, contract: Address([9; 20]) };

    fn raw(event: &impl SolEvent) -> RawEvent {
        let log = event.encode_log_data();
        RawEvent { contract: AT.contract, topics: log.topics().iter().map(|t| t.0).collect(), data: log.data.to_vec() }
    }

    fn opened() -> Channels::ChannelOpened {
        let terms = ChannelTerms {
            number: Number { book: 3, serial: 4 },
            payer: Address([1; 20]),
            payee: Address([2; 20]),
            voucher_signer: Address([1; 20]),
            token: Address::ZERO,
            challenge_period_secs: 3600,
            opened_at: 1_800_000_000,
        };
        Channels::ChannelOpened {
            payer: SolAddress::new([1; 20]),
            payee: SolAddress::new([2; 20]),
            book: 3,
            serial: 4,
            voucherSigner: SolAddress::new([1; 20]),
            token: SolAddress::ZERO,
            challengePeriodSecs: 3600,
            openedAt: 1_800_000_000,
            amount: 77,
            channelId: terms.channel_id(&AT, &SoftKeccak).0.into(),
        }
    }

    #[test]
    fn rows_of_a_claim_are_read() {
        let mut bytes = Vec::new();
        for (serial, outcome, total) in [(7u32, 0u8, 500u128), (9, 3, 0)] {
            bytes.extend_from_slice(&serial.to_be_bytes());
            bytes.push(outcome);
            bytes.extend_from_slice(&total.to_be_bytes());
        }
        let event = Both::Claimed { book: 1, gain: 500, fee: 5, rows: bytes.clone().into() };
        let rows = vec![
            ClaimedRow { serial: 7, outcome: RowOutcome::Applied, total: 500 },
            ClaimedRow { serial: 9, outcome: RowOutcome::BadSignature, total: 0 },
        ];
        let expected = ContractEvent::Claimed { book: 1, gain: 500, fee: 5, rows };
        assert_eq!(decode_event(ContractKind::Streams, &AT, &raw(&event)).unwrap(), Some(expected));
        bytes.pop();
        let cut = Both::Claimed { book: 1, gain: 500, fee: 5, rows: bytes.into() };
        assert!(decode_event(ContractKind::Channels, &AT, &raw(&cut)).is_err());
    }

    #[test]
    fn an_opened_channel_carries_its_terms() {
        let event = decode_event(ContractKind::Channels, &AT, &raw(&opened())).unwrap();
        let Some(ContractEvent::ChannelOpened { terms, amount: 77, .. }) = event else { panic!("{event:?}") };
        assert_eq!((terms.number, terms.challenge_period_secs), (Number { book: 3, serial: 4 }, 3600));
    }

    #[test]
    fn a_channel_whose_id_is_not_the_hash_of_its_terms_is_refused() {
        let mut event = opened();
        event.amount = 78;
        assert!(decode_event(ContractKind::Channels, &AT, &raw(&event)).is_ok(), "the amount is not part of the id");
        event.openedAt += 1;
        let error = decode_event(ContractKind::Channels, &AT, &raw(&event)).unwrap_err().to_string();
        assert!(error.contains("channel 3/4"), "{error}");
    }

    #[test]
    fn a_contract_cannot_speak_for_the_other() {
        let paused = Streams::StreamPaused { book: 1, serial: 2 };
        assert_eq!(decode_event(ContractKind::Channels, &AT, &raw(&paused)).unwrap(), None);
        let number = Number { book: 1, serial: 2 };
        assert_eq!(decode_event(ContractKind::Streams, &AT, &raw(&paused)).unwrap(), Some(ContractEvent::StreamChanged { number }));
    }

    #[test]
    fn what_happens_to_a_stream_is_told_apart_as_far_as_a_relayer_needs_it() {
        let read = |event: RawEvent| decode_event(ContractKind::Streams, &AT, &event).unwrap();
        let (book, serial, number) = (1, 2, Number { book: 1, serial: 2 });
        let by = SolAddress::new([5; 20]);
        let changes = [
            raw(&Streams::StreamPaused { book, serial }),
            raw(&Streams::StreamResumed { book, serial }),
            raw(&Streams::RateAdjusted { book, serial, ratePerSecondScaled: 7, by }),
        ];
        for event in changes {
            assert_eq!(read(event), Some(ContractEvent::StreamChanged { number }));
        }
        let cancelled = raw(&Streams::StreamCancelled { book, serial, by, due: 3, refund: 4 });
        assert_eq!(read(cancelled), Some(ContractEvent::StreamCancelled { number, due: 3, refund: 4 }));
        let voided = raw(&Streams::StreamVoided { book, serial, by, due: 3, writtenOff: 4 });
        assert_eq!(read(voided), Some(ContractEvent::StreamVoided { number, due: 3, written_off: 4 }));
        let refunded = raw(&Both::Refunded { book, serial, amount: 5, deposit: 6 });
        assert_eq!(read(refunded), Some(ContractEvent::Refunded { number, amount: 5, deposit: 6 }));
        let moved = raw(&Streams::StreamHandedOver { book, serial, newBook: 8, newSerial: 9, from: by, to: SolAddress::new([6; 20]) });
        let new_number = Number { book: 8, serial: 9 };
        let (from, to) = (Address([5; 20]), Address([6; 20]));
        assert_eq!(read(moved), Some(ContractEvent::StreamHandedOver { number, new_number, from, to }));
        let ended = raw(&Streams::StreamEnded { book, serial, paid: 5, remainder: 6 });
        assert_eq!(read(ended), Some(ContractEvent::StreamEnded { number, paid: 5, remainder: 6 }));
        // These change nothing that is owed.
        assert_eq!(read(raw(&Streams::StreamRenounced { book, serial })), None);
        assert_eq!(read(raw(&Streams::DelegateSet { book, serial, delegate: by, rights: 31, rateCapScaled: 1 })), None);
    }

    #[test]
    fn unknown_events_are_passed_over() {
        let event = RawEvent { contract: AT.contract, topics: vec![[5; 32]], data: vec![1, 2, 3] };
        assert_eq!(decode_event(ContractKind::Channels, &AT, &event).unwrap(), None);
        assert_eq!(decode_event(ContractKind::Channels, &AT, &RawEvent { topics: vec![], ..event }).unwrap(), None);
    }
}
