//! A file below the watched folder: which of its blocks were written and not synced, and its copy.

use crate::{
    path::{self, Place, quietly},
    sys::{self, Open},
};
use libc::{c_int, off_t, ssize_t};
use std::sync::atomic::{AtomicU64, Ordering};

/// The least that is copied. A kill while it is copied leaves a part of it, as a disk may.
const BLOCK: off_t = 4096;

/// An open file that is watched.
pub struct Watched {
    fd: c_int,
}

impl Watched {
    pub fn of(fd: c_int) -> Option<Self> {
        quietly(|| Place::of_fd(fd)).map(|_| Self { fd })
    }

    pub fn is_disk_full(&self) -> bool {
        path::is_disk_full()
    }

    /// As [`Watched::written`], of a write that ended at this position.
    pub fn written_before(&self, end: off_t, written: ssize_t) {
        self.written(end - written.max(0) as off_t, written);
    }

    /// Notes that so many bytes were written; nothing when the write failed.
    pub fn written(&self, at: off_t, written: ssize_t) {
        if written <= 0 {
            return;
        }
        quietly(|| {
            let Some(mut place) = Place::of_fd(self.fd) else { return };
            let (first, last) = (at / BLOCK, (at + written as off_t - 1) / BLOCK);
            if let Some(dirty) = place.open_dirty() {
                let ones = [1; 256];
                let mut block = first;
                while block <= last {
                    let count = (last - block + 1).min(ones.len() as off_t);
                    sys::write_at(dirty.0, &ones[..count as usize], block);
                    block += count;
                }
            }
            if is_lucky()
                && let (Some(copy), Some(real)) = (place.open_copy(), reopened(self.fd))
            {
                (first..=last).for_each(|block| copy_block(&real, &copy, block));
            }
        });
    }

    /// Brings the copy up to date. A folder's names are there already.
    pub fn sync(&self, fd: c_int) -> c_int {
        if sys::is_folder(fd) {
            return 0;
        }
        quietly(|| {
            let (Some(mut place), Some(real)) = (Place::of_fd(fd), reopened(fd)) else { return 0 };
            let size = sys::size(fd);
            let is_new = !place.has_copy();
            let (Some(copy), Some(dirty)) = (place.open_copy(), place.open_dirty()) else { return -1 };
            if is_new {
                (0..=size / BLOCK).for_each(|block| copy_block(&real, &copy, block));
            }
            sys::ftruncate(copy.0, size);
            let (mut from, mut marks) = (0, [0; 4096]);
            loop {
                let read = sys::read_at(dirty.0, &mut marks, from);
                for (index, _) in marks.iter().take(read).enumerate().filter(|(_, mark)| **mark != 0) {
                    let block = from + index as off_t;
                    // Before it is copied: who writes it meanwhile marks it anew.
                    sys::write_at(dirty.0, &[0], block);
                    copy_block(&real, &copy, block);
                }
                from += read as off_t;
                if read < marks.len() {
                    return 0;
                }
            }
        })
    }
}

/// The same file, for reading: the program may have opened it for writing only.
fn reopened(fd: c_int) -> Option<Open> {
    let mut name = [0; 32];
    path::fd_name(fd, &mut name);
    sys::open(&name, libc::O_RDONLY)
}

fn copy_block(real: &Open, copy: &Open, block: off_t) {
    let mut bytes = [0; BLOCK as usize];
    let read = sys::read_at(real.0, &mut bytes, block * BLOCK);
    sys::write_at(copy.0, &bytes[..read], block * BLOCK);
}

fn is_lucky() -> bool {
    static STATE: AtomicU64 = AtomicU64::new(0x9e37_79b9_7f4a_7c15);
    let luck = path::luck();
    // splitmix64's step: any will do.
    let mut x = STATE.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    luck > 0 && (x ^ (x >> 31)) % 100 < u64::from(luck)
}
