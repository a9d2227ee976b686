//! # rivulet-power-cut: what a power cut leaves
//!
//! SIGKILL alone proves little: the system keeps what a killed program wrote, synced or not. This library, preloaded (`LD_PRELOAD`) into a relayer or a
//! Postgres server, keeps a second copy of every file below one folder, and brings it up to date only where the program syncs the file. A test kills the
//! program, puts the copy in the folder's place, and starts it again: everything after the last completed fsync is gone.
//!
//! | variable | meaning |
//! |---|---|
//! | `RIVULET_POWER_ROOT` | the folder that is watched, an absolute path without links |
//! | `RIVULET_POWER_KEPT` | where this library keeps its things, another folder |
//! | `RIVULET_POWER_LUCK` | percent of the writes that reach the copy at once, in any order, as a disk may; default 0 |
//!
//! In `KEPT`: `files/` is the copy, `dirty/` has a byte for each block of 4,096 bytes, 1 when it was written and not synced. While a file `full` is
//! there, writes below `ROOT` fail with `ENOSPC`; `clock` has the milliseconds by which the program's clock is wrong, as text.
//!
//! What was renamed, removed or made a folder is so in the copy at once, as a journalling file system has it; a file that is renamed before it was synced
//! is empty there. Nothing here allocates or takes a lock, so it may run in a signal handler.
#![cfg(target_os = "linux")]

mod file;
mod path;
mod sys;

use file::Watched;
use libc::{c_char, c_int, c_uint, clockid_t, iovec, mode_t, off_t, size_t, ssize_t, timespec};
use path::Place;

/// As write(2).
///
/// # Safety
/// As write(2). So all functions here.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn write(fd: c_int, from: *const u8, count: size_t) -> ssize_t {
    let Some(file) = Watched::of(fd) else { return unsafe { sys::write(fd, from, count) } };
    if file.is_disk_full() {
        return sys::no_space();
    }
    let written = unsafe { sys::write(fd, from, count) };
    // With O_APPEND too, the position is then the end of what was written.
    file.written_before(sys::position(fd), written);
    written
}

/// As pwrite(2).
///
/// # Safety
/// As pwrite(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite64(fd: c_int, from: *const u8, count: size_t, at: off_t) -> ssize_t {
    let Some(file) = Watched::of(fd) else { return unsafe { sys::pwrite(fd, from, count, at) } };
    if file.is_disk_full() {
        return sys::no_space();
    }
    let written = unsafe { sys::pwrite(fd, from, count, at) };
    file.written(at, written);
    written
}

/// As pwrite(2).
///
/// # Safety
/// As pwrite(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite(fd: c_int, from: *const u8, count: size_t, at: off_t) -> ssize_t {
    unsafe { pwrite64(fd, from, count, at) }
}

/// As writev(2).
///
/// # Safety
/// As writev(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn writev(fd: c_int, parts: *const iovec, count: c_int) -> ssize_t {
    let Some(file) = Watched::of(fd) else { return unsafe { sys::writev(fd, parts, count) } };
    if file.is_disk_full() {
        return sys::no_space();
    }
    let written = unsafe { sys::writev(fd, parts, count) };
    file.written_before(sys::position(fd), written);
    written
}

/// As pwritev(2).
///
/// # Safety
/// As pwritev(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwritev64(fd: c_int, parts: *const iovec, count: c_int, at: off_t) -> ssize_t {
    let Some(file) = Watched::of(fd) else { return unsafe { sys::pwritev(fd, parts, count, at) } };
    if file.is_disk_full() {
        return sys::no_space();
    }
    let written = unsafe { sys::pwritev(fd, parts, count, at) };
    file.written(at, written);
    written
}

/// As pwritev(2).
///
/// # Safety
/// As pwritev(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwritev(fd: c_int, parts: *const iovec, count: c_int, at: off_t) -> ssize_t {
    unsafe { pwritev64(fd, parts, count, at) }
}

/// As ftruncate(2).
#[unsafe(no_mangle)]
pub extern "C" fn ftruncate64(fd: c_int, len: off_t) -> c_int {
    let Some(file) = Watched::of(fd) else { return sys::ftruncate(fd, len) };
    let before = sys::size(fd);
    let done = sys::ftruncate(fd, len);
    // Should it grow again, what comes back is zeros.
    file.written(len.min(before), (before - len).unsigned_abs() as ssize_t);
    done
}

/// As ftruncate(2).
#[unsafe(no_mangle)]
pub extern "C" fn ftruncate(fd: c_int, len: off_t) -> c_int {
    ftruncate64(fd, len)
}

/// As posix_fallocate(3).
#[unsafe(no_mangle)]
pub extern "C" fn posix_fallocate(fd: c_int, at: off_t, len: off_t) -> c_int {
    let file = Watched::of(fd);
    if file.as_ref().is_some_and(Watched::is_disk_full) {
        return libc::ENOSPC;
    }
    let failed = sys::fallocate(fd, at, len);
    if let (Some(file), 0) = (file, failed) {
        file.written(at, len as ssize_t);
    }
    failed
}

/// As fsync(2): what was written reaches the copy before this returns.
#[unsafe(no_mangle)]
pub extern "C" fn fsync(fd: c_int) -> c_int {
    match Watched::of(fd) {
        // The real disk is of no interest: nobody cuts its power.
        Some(file) => file.sync(fd),
        None => sys::fsync(fd),
    }
}

/// As fdatasync(2).
#[unsafe(no_mangle)]
pub extern "C" fn fdatasync(fd: c_int) -> c_int {
    fsync(fd)
}

/// As rename(2).
///
/// # Safety
/// As rename(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    let done = unsafe { sys::rename(from, to) };
    if let (0, Some(from), Some(to)) = (done, unsafe { Place::named(from) }, unsafe { Place::named(to) }) {
        from.become_(&to);
    }
    done
}

/// As unlink(2).
///
/// # Safety
/// As unlink(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unlink(name: *const c_char) -> c_int {
    let done = unsafe { sys::unlink(name) };
    if let (0, Some(place)) = (done, unsafe { Place::named(name) }) {
        place.remove();
    }
    done
}

/// As mkdir(2).
///
/// # Safety
/// As mkdir(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkdir(name: *const c_char, mode: mode_t) -> c_int {
    let done = unsafe { sys::mkdir(name, c_uint::from(mode)) };
    if let (0, Some(place)) = (done, unsafe { Place::named(name) }) {
        place.make_folder();
    }
    done
}

/// As rmdir(2).
///
/// # Safety
/// As rmdir(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rmdir(name: *const c_char) -> c_int {
    let done = unsafe { sys::rmdir(name) };
    if let (0, Some(place)) = (done, unsafe { Place::named(name) }) {
        place.remove_folder();
    }
    done
}

/// As clock_gettime(2), wrong by as much as `clock` says.
///
/// # Safety
/// As clock_gettime(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: clockid_t, to: *mut timespec) -> c_int {
    let done = unsafe { sys::clock_gettime(clock, to) };
    if done == 0
        && matches!(clock, libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE)
        && let Some(now) = unsafe { to.as_mut() }
    {
        let wrong_ms = path::wrong_ms();
        now.tv_sec += wrong_ms.div_euclid(1_000);
        now.tv_nsec += wrong_ms.rem_euclid(1_000) * 1_000_000;
        if now.tv_nsec >= 1_000_000_000 {
            now.tv_sec += 1;
            now.tv_nsec -= 1_000_000_000;
        }
    }
    done
}
