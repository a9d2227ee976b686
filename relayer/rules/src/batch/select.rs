//! Choosing rows.

use super::{Batch, BookView, Candidate, Choice, CostModel, Policy, Row, cost::GROUP_BYTES, value::row_value_planck};
use rivulet_core::blob::{self, Payload};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
};

/// A candidate with its price tag.
struct Priced<P> {
    candidate: Candidate<P>,
    value_planck: u128,
    cost_planck: u128,
    bytes: usize,
    is_pressing: bool,
}

/// The bytes that a row takes at most: its serial, and what it carries.
pub fn row_bytes<P: Payload>(payload: &P) -> usize {
    let mut out = Vec::with_capacity(96);
    payload.write(&mut out);
    out.len().saturating_add(5)
}

/// What the rows of one book are worth and cost together.
#[derive(Default, Clone, Copy)]
struct Group {
    value_planck: u128,
    cost_planck: u128,
    is_pressing: bool,
}

impl Group {
    fn of<'a, P: 'a>(rows: impl Iterator<Item = &'a Priced<P>>, cost: &CostModel) -> BTreeMap<u32, Self> {
        let mut groups = BTreeMap::<u32, Self>::new();
        for row in rows {
            let group = groups.entry(row.candidate.number.book).or_insert_with(|| Self { cost_planck: cost.group_planck(), ..Self::default() });
            group.value_planck = group.value_planck.saturating_add(row.value_planck);
            group.cost_planck = group.cost_planck.saturating_add(row.cost_planck);
            group.is_pressing |= row.is_pressing;
        }
        groups
    }

    fn is_kept(&self, policy: &Policy) -> bool {
        self.is_pressing || policy.is_worth(self.value_planck, self.cost_planck)
    }
}

/// Chooses the next batch. Candidates of a book that is not in `books` are left out: without its token nothing can be said of their worth.
pub fn choose<P: Payload>(
    candidates: impl IntoIterator<Item = Candidate<P>>,
    books: &BTreeMap<u32, BookView>,
    policy: &Policy,
    cost: &CostModel,
    now: u64,
) -> Choice<P> {
    let mut priced: Vec<_> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let book = books.get(&candidate.number.book)?;
            let value_planck = row_value_planck(book, policy, candidate.gain, now);
            let bytes = row_bytes(&candidate.payload);
            let cost_planck = cost.row_planck(bytes, cost.shape.serials_a_cell);
            let is_pressing = candidate.deadline.is_some_and(|d| d.is_pressing(now));
            let is_due = is_pressing || policy.schedule.is_due(&book.payee, candidate.last_at, now);
            (is_due && policy.is_worth(value_planck, cost_planck)).then_some(Priced { candidate, value_planck, cost_planck, bytes, is_pressing })
        })
        .collect();
    share_cells(&mut priced, policy, cost);
    let groups = Group::of(priced.iter(), cost);
    priced.retain(|row| groups.get(&row.candidate.number.book).is_some_and(|g| g.is_kept(policy)));

    let order = |row: &Priced<P>| (row.candidate.deadline.map_or(u64::MAX, |d| d.due_at), Reverse(row.value_planck), Reverse(row.candidate.gain));
    let most = policy.max_rows.min(blob::MAX_ROWS as usize);
    if most < priced.len() && most > 0 {
        // With a million candidates for a few hundred places, sorting them all would be the largest part of the decision.
        priced.select_nth_unstable_by_key(most, order);
        priced.truncate(most);
    }
    priced.sort_unstable_by_key(|row| (order(row), row.candidate.number));
    let mut taken = take(priced, policy, cost);
    // The caps may have left a book too few rows to pay for itself.
    let groups = Group::of(taken.iter(), cost);
    taken.retain(|row| groups.get(&row.candidate.number.book).is_some_and(|g| g.is_kept(policy)));
    finish(taken, books, policy, cost)
}

/// A cell is paid for once, by those that lie in it together and pay for themselves so: the others are left out. That some of them may be left out in the
/// end is for the dry run to tell.
fn share_cells<P>(priced: &mut Vec<Priced<P>>, policy: &Policy, cost: &CostModel) {
    loop {
        let mut sharing = HashMap::<(u32, u32), u32>::with_capacity(priced.len());
        for row in priced.iter() {
            *sharing.entry(cost.shape.cell_of(row.candidate.number)).or_default() += 1;
        }
        let before = priced.len();
        priced.retain_mut(|row| {
            row.cost_planck = cost.row_planck(row.bytes, sharing.get(&cost.shape.cell_of(row.candidate.number)).copied().unwrap_or(1));
            policy.is_worth(row.value_planck, row.cost_planck)
        });
        // Those that stay carry more when a neighbour has gone.
        if priced.len() == before {
            return;
        }
    }
}

/// Takes rows from the front as long as they fit.
fn take<P: Payload>(priced: Vec<Priced<P>>, policy: &Policy, cost: &CostModel) -> Vec<Priced<P>> {
    let max_bytes = policy.max_blob_bytes.min(blob::MAX_BLOB_BYTES);
    let (mut taken, mut books, mut cells, mut length, mut ends) = (Vec::new(), BTreeSet::new(), BTreeSet::new(), 1usize, 0usize);
    for row in priced {
        let is_new = !books.contains(&row.candidate.number.book);
        let bytes = length.saturating_add(row.bytes).saturating_add(if is_new { GROUP_BYTES } else { 0 });
        let groups = books.len().saturating_add(usize::from(is_new));
        let cell = cost.shape.cell_of(row.candidate.number);
        let (cells_then, rows) = (cells.len().saturating_add(usize::from(!cells.contains(&cell))), taken.len().saturating_add(1));
        let ends_then = ends.saturating_add(usize::from(row.candidate.may_end));
        if rows > policy.max_rows || bytes > max_bytes || !cost.fits(groups, cells_then, rows, ends_then) {
            continue;
        }
        books.insert(row.candidate.number.book);
        cells.insert(cell);
        (length, ends) = (bytes, ends_then);
        taken.push(row);
    }
    taken
}

fn finish<P: Payload>(taken: Vec<Priced<P>>, books: &BTreeMap<u32, BookView>, policy: &Policy, cost: &CostModel) -> Choice<P> {
    let groups = Group::of(taken.iter(), cost);
    let total = |of: fn(&Group) -> u128| groups.values().map(of).fold(0, u128::saturating_add);
    let (value_planck, cost_planck) = (total(|g| g.value_planck), cost.base_planck().saturating_add(total(|g| g.cost_planck)));
    if taken.is_empty() {
        return Choice::Nothing;
    }
    let is_pressing = taken.iter().any(|row| row.is_pressing);
    if !is_pressing && !policy.is_worth(value_planck, cost_planck) {
        return Choice::Wait { rows: taken.len(), value_planck, cost_planck };
    }
    let ends = taken.iter().filter(|row| row.candidate.may_end).count();
    let existential = cost.fees.existential_deposit_planck;
    let mut content = BTreeMap::<u32, (bool, BTreeMap<u32, P>)>::new();
    for (book, group) in &groups {
        let is_native = books.get(book).is_some_and(|b| b.token.is_zero());
        // Whether the payee exists is not known here: only a group that would pay for it may.
        let fund_new = policy.fund_new && is_native && policy.is_worth(group.value_planck, group.cost_planck.saturating_add(existential));
        content.insert(*book, (fund_new, BTreeMap::new()));
    }
    let mut rows: Vec<_> = taken
        .into_iter()
        .map(|row| {
            let Candidate { number, gain, payload, .. } = row.candidate;
            if let Some((_, serials)) = content.get_mut(&number.book) {
                serials.insert(number.serial, payload);
            }
            Row { number, gain, value_planck: row.value_planck, payload }
        })
        .collect();
    rows.sort_unstable_by_key(|row| row.number);
    Choice::Send(Batch { blob: blob::encode(&content), rows, value_planck, cost_planck, ends, is_pressing })
}
