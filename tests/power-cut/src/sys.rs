//! The system's own calls, past the C library, whose names are taken here.

use libc::{
    SYS_clock_gettime, SYS_fallocate, SYS_fsync, SYS_ftruncate, SYS_lseek, SYS_mkdirat, SYS_openat, SYS_pread64, SYS_pwrite64, SYS_pwritev,
    SYS_readlinkat, SYS_renameat2, SYS_unlinkat, SYS_write, SYS_writev, c_char, c_int, c_long, c_uint, clockid_t, iovec, off_t, size_t, ssize_t,
    syscall, timespec,
};

/// Of paths, with the zero at their end.
pub const PATH_BYTES: usize = 4096;

pub unsafe fn write(fd: c_int, from: *const u8, count: size_t) -> ssize_t {
    (unsafe { syscall(SYS_write, fd, from, count) }) as ssize_t
}

pub unsafe fn pwrite(fd: c_int, from: *const u8, count: size_t, at: off_t) -> ssize_t {
    (unsafe { syscall(SYS_pwrite64, fd, from, count, at) }) as ssize_t
}

pub unsafe fn writev(fd: c_int, parts: *const iovec, count: c_int) -> ssize_t {
    (unsafe { syscall(SYS_writev, fd, parts, count) }) as ssize_t
}

pub unsafe fn pwritev(fd: c_int, parts: *const iovec, count: c_int, at: off_t) -> ssize_t {
    // The upper half of the position is for machines of 32 bits.
    (unsafe { syscall(SYS_pwritev, fd, parts, count, at, 0 as c_long) }) as ssize_t
}

pub fn write_at(fd: c_int, from: &[u8], at: off_t) -> bool {
    (unsafe { pwrite(fd, from.as_ptr(), from.len(), at) }) == from.len() as ssize_t
}

/// What there is, up to the buffer's length.
pub fn read_at(fd: c_int, to: &mut [u8], at: off_t) -> usize {
    let read = unsafe { syscall(SYS_pread64, fd, to.as_mut_ptr(), to.len(), at) };
    usize::try_from(read).unwrap_or(0)
}

pub fn ftruncate(fd: c_int, len: off_t) -> c_int {
    (unsafe { syscall(SYS_ftruncate, fd, len) }) as c_int
}

/// 0, or the error: as posix_fallocate(3).
pub fn fallocate(fd: c_int, at: off_t, len: off_t) -> c_int {
    match unsafe { syscall(SYS_fallocate, fd, 0, at, len) } {
        0 => 0,
        _ => errno(),
    }
}

pub fn fsync(fd: c_int) -> c_int {
    (unsafe { syscall(SYS_fsync, fd) }) as c_int
}

pub fn position(fd: c_int) -> off_t {
    unsafe { syscall(SYS_lseek, fd, 0, libc::SEEK_CUR) }
}

fn stat(fd: c_int) -> Option<libc::stat> {
    let mut stat = std::mem::MaybeUninit::zeroed();
    let done = unsafe { libc::fstat(fd, stat.as_mut_ptr()) };
    (done == 0).then(|| unsafe { stat.assume_init() })
}

/// A file's length, without moving its position.
pub fn size(fd: c_int) -> off_t {
    stat(fd).map_or(0, |stat| stat.st_size)
}

pub fn is_folder(fd: c_int) -> bool {
    stat(fd).is_some_and(|stat| stat.st_mode & libc::S_IFMT == libc::S_IFDIR)
}

/// A file that is closed when it is dropped.
pub struct Open(pub c_int);

impl Drop for Open {
    fn drop(&mut self) {
        unsafe { syscall(libc::SYS_close, self.0) };
    }
}

/// `name` ends with a zero.
pub fn open(name: &[u8], flags: c_int) -> Option<Open> {
    let fd = unsafe { syscall(SYS_openat, libc::AT_FDCWD, name.as_ptr(), flags | libc::O_CLOEXEC, 0o600) };
    (fd >= 0).then_some(Open(fd as c_int))
}

/// Where a link leads; how many bytes of it.
pub fn readlink(name: &[u8], to: &mut [u8]) -> usize {
    let read = unsafe { syscall(SYS_readlinkat, libc::AT_FDCWD, name.as_ptr(), to.as_mut_ptr(), to.len()) };
    usize::try_from(read).unwrap_or(0)
}

pub unsafe fn rename(from: *const c_char, to: *const c_char) -> c_int {
    (unsafe { syscall(SYS_renameat2, libc::AT_FDCWD, from, libc::AT_FDCWD, to, 0) }) as c_int
}

pub unsafe fn unlink(name: *const c_char) -> c_int {
    (unsafe { syscall(SYS_unlinkat, libc::AT_FDCWD, name, 0) }) as c_int
}

pub unsafe fn rmdir(name: *const c_char) -> c_int {
    (unsafe { syscall(SYS_unlinkat, libc::AT_FDCWD, name, libc::AT_REMOVEDIR) }) as c_int
}

pub unsafe fn mkdir(name: *const c_char, mode: c_uint) -> c_int {
    (unsafe { syscall(SYS_mkdirat, libc::AT_FDCWD, name, mode) }) as c_int
}

pub unsafe fn clock_gettime(clock: clockid_t, to: *mut timespec) -> c_int {
    (unsafe { syscall(SYS_clock_gettime, clock, to) }) as c_int
}

pub fn errno() -> c_int {
    unsafe { *libc::__errno_location() }
}

pub fn set_errno(to: c_int) {
    unsafe { *libc::__errno_location() = to };
}

/// A write's answer when nothing fits any more.
pub fn no_space() -> ssize_t {
    set_errno(libc::ENOSPC);
    -1
}
