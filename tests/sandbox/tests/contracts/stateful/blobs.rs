//! Blobs of a batch, good and damaged.

use super::{base::Number, parties::Damage};

/// Rows of one book: the book, whether its payout may make an account, and rows by serial.
pub type Group<R> = (u32, bool, Vec<(u32, R)>);

fn varint(out: &mut Vec<u8>, mut v: u128) {
    while v > 0x7f {
        out.push(v as u8 | 0x80);
        v >>= 7;
    }
    out.push(v as u8);
}

/// A blob of these groups, each row followed by what `payload` writes. Books and serials that do not ascend are written all the same, and cannot be read.
fn write<R>(version: u8, groups: &[Group<R>], payload: impl Fn(&mut Vec<u8>, Number, &R)) -> Vec<u8> {
    let mut out = vec![version];
    varint(&mut out, groups.len() as u128);
    let mut last_book: Option<u32> = None;
    for (book, fund_new, rows) in groups {
        out.push(u8::from(*fund_new));
        varint(&mut out, last_book.map_or(*book, |last| book.wrapping_sub(last).wrapping_sub(1)).into());
        varint(&mut out, rows.len() as u128);
        last_book = Some(*book);
        let mut last: Option<u32> = None;
        for (serial, row) in rows {
            varint(&mut out, last.map_or(*serial, |last| serial.wrapping_sub(last).wrapping_sub(1)).into());
            payload(&mut out, (*book, *serial), row);
            last = Some(*serial);
        }
    }
    out
}

/// A row of channels: its total, then its signature.
pub fn voucher(out: &mut Vec<u8>, total: u128, signature: &[u8; 64]) {
    varint(out, total);
    out.extend(signature);
}

/// The blob, and when it is damaged the reason why it is refused.
pub fn blob<R: Clone>(
    version: u8,
    mut groups: Vec<Group<R>>,
    damage: Option<Damage>,
    payload: impl Fn(&mut Vec<u8>, Number, &R),
) -> (Vec<u8>, Option<u8>) {
    let mut bytes = write(version, &groups, &payload);
    let reason = match damage {
        None => return (bytes, None),
        Some(Damage::Cut) => {
            bytes.pop();
            0
        }
        Some(Damage::LongCount) => {
            // The count of groups in two bytes.
            bytes[1] |= 0x80;
            bytes.insert(2, 0);
            1
        }
        Some(Damage::TheLastRowTwice) => {
            let rows = &mut groups.last_mut().expect("a row").2;
            rows.extend(rows.last().cloned());
            bytes = write(version, &groups, &payload);
            2
        }
        Some(Damage::Version) => {
            bytes[0] ^= 0x80;
            3
        }
        Some(Damage::Flags) => {
            bytes[2] = 2;
            4
        }
        Some(Damage::NoRows) => {
            groups.last_mut().expect("a row").2.clear();
            bytes = write(version, &groups, &payload);
            5
        }
        Some(Damage::Trailing) => {
            bytes.push(0);
            7
        }
    };
    (bytes, Some(reason))
}
