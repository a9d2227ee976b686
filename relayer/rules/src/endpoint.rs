//! Which nodes can be believed, and which are worth asking.
//!
//! ```text
//!   answers? ── no ──▶ Unreachable
//!      │ yes
//!   our chain? ── no ──▶ OtherChain (never used)
//!      │ yes
//!   its final blocks are those of the majority? ── no, or no majority ──▶ Lying (never used)
//!      │ yes
//!   its head moves and is near the others'? ── no ──▶ Lagging (used when there is no better one)
//!      │ yes
//!      ╰──▶ Good
//! ```
//!
//! A block that one node calls final and another contradicts is a lie of one of the two. What was recorded counts as one voice, for its ancestors too. Where no hash has more
//! voices than each other one, nobody at that height is believed: money is not risked on a guess.

use crate::{chain::BlockRef, text};
use std::collections::{BTreeMap, BTreeSet};

/// How a node does.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum EndpointState {
    /// Nothing is known against it.
    #[default]
    Good,
    /// It does not answer, for this reason.
    Unreachable(String),
    /// Its finalized head is behind or stands still.
    Lagging(String),
    /// It is another chain's.
    OtherChain(String),
    /// It contradicts what others, or the record, call final.
    Lying(String),
}

impl EndpointState {
    /// Every word of [`EndpointState::word`].
    pub const WORDS: [&str; 5] = ["good", "unreachable", "lagging", "other_chain", "lying"];

    /// In a word, for metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Unreachable(_) => "unreachable",
            Self::Lagging(_) => "lagging",
            Self::OtherChain(_) => "other_chain",
            Self::Lying(_) => "lying",
        }
    }

    /// What is wrong with it.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Good => None,
            Self::Unreachable(why) | Self::Lagging(why) | Self::OtherChain(why) | Self::Lying(why) => Some(why),
        }
    }

    /// True when nothing it says may be used.
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::OtherChain(_) | Self::Lying(_))
    }
}

/// A node as operators see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndpointReport {
    /// Scheme, host and port: paths and passwords of URLs can be secrets.
    pub name: String,
    /// True when requests go there now.
    pub is_used: bool,
    /// How it does.
    pub state: EndpointState,
    /// Its finalized head, as last seen.
    pub block_number: Option<u64>,
    /// The age of that block by the machine's clock, in seconds.
    pub head_age_secs: Option<u64>,
}

/// What a node said in one look.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Its finalized head.
    pub head: BlockRef,
    /// The age of that block by the machine's clock, in seconds, if it could be read.
    pub head_age_secs: Option<u64>,
    /// For how long its head has been this one, in seconds.
    pub still_secs: u64,
    /// Its blocks at the heights that were asked for, up to its head.
    pub hashes: BTreeMap<u64, [u8; 32]>,
}

/// A node's name, and what it said or why it did not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sight {
    /// What messages call it.
    pub name: String,
    /// `Err`: [`EndpointState::Unreachable`] or [`EndpointState::OtherChain`].
    pub seen: Result<Seen, EndpointState>,
}

/// How far a node may be behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tolerance {
    /// Blocks behind another node or what was recorded.
    pub blocks: u64,
    /// Seconds without a new finalized block while another node has one; with nobody to compare, the age of its head.
    pub secs: u64,
}

impl Default for Tolerance {
    fn default() -> Self {
        Self { blocks: 16, secs: 90 }
    }
}

/// What was found at heights where nodes differed: asked for again at each look, so that who lied once stays out until it says otherwise. `None`: nobody
/// knows which block is the final one.
pub type Disputes = BTreeMap<u64, Option<[u8; 32]>>;
/// How many disputes are remembered.
const DISPUTES: usize = 16;

/// The outcome of a look.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judgement {
    /// Each node's state, in the order given.
    pub states: Vec<EndpointState>,
    /// The block of each height that somebody answered for; `None`: nobody knows.
    pub agreed: Disputes,
}

impl Judgement {
    /// What is wrong with a block that was said to be final; `None`: nobody contradicts it.
    pub fn objection(&self, block: &BlockRef) -> Option<String> {
        match self.agreed.get(&block.number) {
            Some(Some(hash)) if *hash != block.hash => {
                Some(format!("final block {} is {}, not {}", block.number, text::hex(hash), text::hex(&block.hash)))
            }
            Some(None) => Some(format!("nodes differ on final block {}: {}", block.number, self.reasons())),
            _ => None,
        }
    }

    fn reasons(&self) -> String {
        let reasons: BTreeSet<_> = self.states.iter().filter(|s| s.is_refused()).filter_map(EndpointState::reason).collect();
        reasons.into_iter().collect::<Vec<_>>().join("; ")
    }
}

/// Judges nodes by what they said. `recorded`: the last block that was taken in; `disputes`: of earlier looks, brought up to date here.
pub fn judge(sights: &[Sight], recorded: Option<BlockRef>, disputes: &mut Disputes, tolerance: &Tolerance) -> Judgement {
    let mut states: Vec<_> = sights.iter().map(|s| s.seen.as_ref().map_or_else(Clone::clone, |_| EndpointState::Good)).collect();
    let heights: BTreeSet<_> = sights.iter().flat_map(|s| s.seen.iter().flat_map(|seen| seen.hashes.keys().copied())).collect();
    let mut agreed = Disputes::new();
    for height in heights {
        // From below: who lied there has no voice further up.
        let ballot = Ballot::hold(sights.iter().zip(&states).filter(|(_, s)| !s.is_refused()).map(|(sight, _)| sight), height, recorded);
        let before = disputes.get(&height).copied();
        // What was settled once stays so, though those who settled it may be silent now; what was not is not settled by one who is left alone.
        let least = if before == Some(None) { 2 } else { 1 };
        let winner = before.flatten().or_else(|| ballot.winner(least));
        agreed.insert(height, winner);
        for (state, sight) in states.iter_mut().zip(sights) {
            let Some(said) = sight.seen.as_ref().ok().and_then(|seen| seen.hashes.get(&height)) else { continue };
            if Some(*said) != winner && !state.is_refused() {
                *state = EndpointState::Lying(ballot.contradiction(height, said, winner));
            }
        }
        if ballot.hashes.len() > 1 {
            disputes.insert(height, winner);
        }
    }
    // The oldest go first: whoever lied there lies higher up too.
    while disputes.len() > DISPUTES {
        disputes.pop_first();
    }
    find_lagging(sights, recorded, tolerance, &mut states);
    Judgement { states, agreed }
}

/// Who says which hash at one height.
struct Ballot<'a> {
    hashes: BTreeMap<[u8; 32], Vec<&'a str>>,
}

impl<'a> Ballot<'a> {
    fn hold(sights: impl Iterator<Item = &'a Sight>, height: u64, recorded: Option<BlockRef>) -> Self {
        let mut hashes = BTreeMap::<[u8; 32], Vec<&str>>::new();
        // What the record's ancestors are, those say that know it.
        let mut ancestors = BTreeSet::new();
        for sight in sights {
            let Ok(seen) = &sight.seen else { continue };
            let Some(hash) = seen.hashes.get(&height) else { continue };
            hashes.entry(*hash).or_default().push(&sight.name);
            if recorded.is_some_and(|block| height < block.number && seen.hashes.get(&block.number) == Some(&block.hash)) {
                ancestors.insert(*hash);
            }
        }
        let of_record = recorded.filter(|block| block.number == height).map(|block| block.hash);
        let of_record = of_record.or(ancestors.first().copied().filter(|_| ancestors.len() == 1));
        if let Some(hash) = of_record {
            hashes.entry(hash).or_default().push("the relayer's record");
        }
        Self { hashes }
    }

    /// The hash with more voices than each other one, and no fewer than this.
    fn winner(&self, least: usize) -> Option<[u8; 32]> {
        let most = self.hashes.values().map(Vec::len).max().filter(|most| *most >= least)?;
        let mut with_most = self.hashes.iter().filter(|(_, names)| names.len() == most);
        match (with_most.next(), with_most.next()) {
            (Some((hash, _)), None) => Some(*hash),
            _ => None,
        }
    }

    fn contradiction(&self, height: u64, said: &[u8; 32], winner: Option<[u8; 32]>) -> String {
        let others = self.hashes.iter().filter(|(hash, _)| *hash != said).map(|(hash, names)| format!("{} by {}", text::hex(hash), names.join(", ")));
        let others: Vec<_> = others.collect();
        let mut text = format!("final block {height} is {} there", text::hex(said));
        match (others.is_empty(), winner) {
            (false, _) => text += &format!(", {}", others.join(", ")),
            (true, Some(hash)) => text += &format!(", and was found to be {}", text::hex(&hash)),
            (true, None) => text += ", and was another by a node that does not answer now",
        }
        if winner.is_none() {
            text += ": which is right cannot be told; take the wrong node out of chain.rpc_urls, or add a third";
        }
        text
    }
}

/// Those that answer and are believed, but are not worth asking while there is a better one.
fn find_lagging(sights: &[Sight], recorded: Option<BlockRef>, tolerance: &Tolerance, states: &mut [EndpointState]) {
    let believed = |i: usize| match (sights.get(i).map(|s| (&s.name, &s.seen)), states.get(i)) {
        (Some((name, Ok(seen))), Some(EndpointState::Good)) => Some((name, seen)),
        _ => None,
    };
    let good: Vec<_> = (0..sights.len()).filter_map(|i| believed(i).map(|(name, seen)| (i, name, seen))).collect();
    let Some((_, first, ahead)) = good.iter().max_by_key(|(_, _, seen)| seen.head.number) else { return };
    let mut lagging = Vec::new();
    for (i, _, seen) in &good {
        let head = seen.head.number;
        let behind = ahead.head.number.saturating_sub(head);
        let before_record = recorded.map_or(0, |block| block.number.saturating_sub(head));
        let reason = if behind > tolerance.blocks {
            format!("its finalized head, {head}, is {behind} blocks behind that of {first}")
        } else if before_record > tolerance.blocks {
            format!("its finalized head, {head}, is {before_record} blocks behind what was taken in already")
        } else if behind > 0 && seen.still_secs >= tolerance.secs && ahead.still_secs < tolerance.secs {
            format!("its finalized head has been {head} for {} seconds, that of {first} moves", seen.still_secs)
        } else if seen.head_age_secs.is_some_and(|age| age >= tolerance.secs) && seen.still_secs >= tolerance.secs.min(ON_ITS_OWN) {
            format!("its finalized head, {head}, is {} seconds old", seen.head_age_secs.unwrap_or_default())
        } else {
            continue;
        };
        lagging.push((*i, reason));
    }
    for (i, reason) in lagging {
        if let Some(state) = states.get_mut(i) {
            *state = EndpointState::Lagging(reason);
        }
    }
}

/// A node that was just met and catches up is given so long, in seconds, before the age of its head counts.
const ON_ITS_OWN: u64 = 15;
