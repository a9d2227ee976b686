//! Where things are: below the folder that is watched, and in the copy.

use crate::sys::{self, PATH_BYTES};
use libc::{c_char, c_int};
use std::ffi::CStr;

fn variable(name: &CStr) -> Option<&'static [u8]> {
    let value = unsafe { libc::getenv(name.as_ptr()) };
    // The environment of a program that runs stays where it is.
    (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) }.to_bytes())
}

/// Runs `f` and leaves `errno` as it was: programs look at it after calls that went well too.
pub fn quietly<T>(f: impl FnOnce() -> T) -> T {
    let before = sys::errno();
    let result = f();
    sys::set_errno(before);
    result
}

/// A path that ends with a zero, on the stack.
pub struct Text {
    bytes: [u8; PATH_BYTES],
    len: usize,
}

impl Text {
    fn of(parts: &[&[u8]]) -> Option<Self> {
        let mut text = Self { bytes: [0; PATH_BYTES], len: 0 };
        for part in parts {
            // One byte stays for the zero.
            let room = text.bytes.get_mut(text.len..PATH_BYTES - 1)?.get_mut(..part.len())?;
            room.copy_from_slice(part);
            text.len += part.len();
        }
        Some(text)
    }

    pub fn with_zero(&self) -> &[u8] {
        &self.bytes[..=self.len]
    }

    fn as_ptr(&self) -> *const c_char {
        self.bytes.as_ptr().cast()
    }

    /// Makes the folders above it.
    fn make_parents(&mut self) {
        for at in 1..self.len {
            if self.bytes[at] == b'/' {
                self.bytes[at] = 0;
                unsafe { sys::mkdir(self.as_ptr(), 0o700) };
                self.bytes[at] = b'/';
            }
        }
    }
}

/// What a name below the watched folder is called in the copy.
pub struct Place {
    copy: Text,
    dirty: Text,
}

impl Place {
    /// Of an absolute path; `None` when it is not watched.
    fn of(path: &[u8]) -> Option<Self> {
        let (root, kept) = (variable(c"RIVULET_POWER_ROOT")?, variable(c"RIVULET_POWER_KEPT")?);
        let below = path.strip_prefix(root).filter(|rest| rest.first() == Some(&b'/'))?;
        Some(Self { copy: Text::of(&[kept, b"/files", below])?, dirty: Text::of(&[kept, b"/dirty", below])? })
    }

    /// Of an open file.
    pub fn of_fd(fd: c_int) -> Option<Self> {
        let (mut name, mut target) = ([0; 32], [0; PATH_BYTES]);
        fd_name(fd, &mut name);
        let len = sys::readlink(&name, &mut target);
        let path = target.get(..len)?;
        // What was removed while it is open is gone after a power cut.
        if path.ends_with(b" (deleted)") { None } else { Self::of(path) }
    }

    /// Of a name as a program gives it, which may be relative to its folder.
    pub unsafe fn named(name: *const c_char) -> Option<Self> {
        if name.is_null() {
            return None;
        }
        let name = unsafe { CStr::from_ptr(name) }.to_bytes();
        if name.starts_with(b"/") {
            return quietly(|| Self::of(name));
        }
        quietly(|| {
            let mut here = [0; PATH_BYTES];
            let len = sys::readlink(b"/proc/self/cwd\0", &mut here);
            let plain = name.strip_prefix(b"./").unwrap_or(name);
            let whole = Text::of(&[here.get(..len)?, b"/", plain])?;
            Self::of(&whole.bytes[..whole.len])
        })
    }

    pub fn open_copy(&mut self) -> Option<sys::Open> {
        open(&mut self.copy)
    }

    pub fn open_dirty(&mut self) -> Option<sys::Open> {
        open(&mut self.dirty)
    }

    /// True when the copy has it.
    pub fn has_copy(&self) -> bool {
        sys::open(self.copy.with_zero(), libc::O_RDONLY).is_some()
    }

    pub fn become_(mut self, to: &Self) {
        quietly(|| {
            // Never synced: all that is certain is its name.
            drop(self.open_copy());
            unsafe {
                sys::rename(self.copy.as_ptr(), to.copy.as_ptr());
                sys::unlink(to.dirty.as_ptr());
                sys::rename(self.dirty.as_ptr(), to.dirty.as_ptr());
            }
        });
    }

    pub fn remove(&self) {
        quietly(|| unsafe {
            sys::unlink(self.copy.as_ptr());
            sys::unlink(self.dirty.as_ptr());
        });
    }

    pub fn make_folder(mut self) {
        quietly(|| {
            self.copy.make_parents();
            unsafe { sys::mkdir(self.copy.as_ptr(), 0o700) }
        });
    }

    pub fn remove_folder(&self) {
        quietly(|| unsafe {
            sys::rmdir(self.copy.as_ptr());
            sys::rmdir(self.dirty.as_ptr());
        });
    }
}

fn open(name: &mut Text) -> Option<sys::Open> {
    sys::open(name.with_zero(), libc::O_RDWR | libc::O_CREAT).or_else(|| {
        name.make_parents();
        sys::open(name.with_zero(), libc::O_RDWR | libc::O_CREAT)
    })
}

/// `/proc/self/fd/7`, with a zero at its end.
pub fn fd_name(fd: c_int, to: &mut [u8; 32]) {
    const HEAD: &[u8] = b"/proc/self/fd/";
    to[..HEAD.len()].copy_from_slice(HEAD);
    let (mut digits, mut rest) = (1, fd / 10);
    while rest > 0 {
        (digits, rest) = (digits + 1, rest / 10);
    }
    let mut rest = fd;
    for at in (HEAD.len()..HEAD.len() + digits).rev() {
        to[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

fn kept(name: &[u8]) -> Option<sys::Open> {
    let path = Text::of(&[variable(c"RIVULET_POWER_KEPT")?, name])?;
    sys::open(path.with_zero(), libc::O_RDONLY)
}

pub fn is_disk_full() -> bool {
    quietly(|| kept(b"/full").is_some())
}

/// By how much the program's clock is wrong, in milliseconds.
pub fn wrong_ms() -> i64 {
    quietly(|| {
        let Some(file) = kept(b"/clock") else { return 0 };
        let mut text = [0; 24];
        let len = sys::read_at(file.0, &mut text, 0);
        text.get(..len).and_then(|text| std::str::from_utf8(text).ok()).and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    })
}

/// How many writes in a hundred reach the copy at once.
pub fn luck() -> u32 {
    variable(c"RIVULET_POWER_LUCK").and_then(|text| std::str::from_utf8(text).ok()).and_then(|text| text.parse().ok()).unwrap_or(0)
}
