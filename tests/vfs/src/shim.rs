//! The table of C functions that SQLite calls: each writes its call down and hands it on to the system's own.
//!
//! SQLite documentation, "The SQLite OS Interface or VFS", and "struct sqlite3_io_methods".
//!
//! Why this may be unsafe: SQLite takes a file system only as C functions over memory that it allots itself. **Invariant:**
//! that memory is [`File`] followed by the system's own file, as `szOsFile` says; a `File` whose `methods` SQLite sees was
//! opened, and its `handle` came from `Box::into_raw` and goes back there once, when it is closed. Everything else is
//! handed on as it came, with the system's own file in place of ours.
#![allow(unsafe_code)] // the one place; the lines above say why

use crate::{Fault, Op, Shared, lock, tape_of};
use rusqlite::ffi::{
    SQLITE_FULL, SQLITE_IOERR_FSYNC, SQLITE_OK, SQLITE_OPEN_READONLY, SQLITE_READONLY, sqlite3_file,
    sqlite3_filename, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs, sqlite3_vfs_find, sqlite3_vfs_register,
};
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::mem::size_of;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::sync::OnceLock;

/// What SQLite has of an open file; the system's own follows it.
#[repr(C)]
struct File {
    base: sqlite3_file,
    /// The tape and the file's name on it; null where nobody records.
    handle: *mut Handle,
}

struct Handle {
    tape: Shared,
    name: String,
}

/// The system's own file system, which does the work.
struct System(*mut sqlite3_vfs);

// SAFETY: SQLite's own file systems are made for use from every thread; the pointer is to a static of SQLite.
unsafe impl Send for System {}
// SAFETY: as above.
unsafe impl Sync for System {}

static SYSTEM: OnceLock<System> = OnceLock::new();

/// Version 2 of the methods: shared memory for the log's index, no memory-mapped pages, which nobody could record.
static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(take_lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// Makes this file system SQLite's default in this process.
pub(crate) fn register() {
    // SAFETY: the default file system is a static of SQLite; a copy of its table with our functions in two places is a
    // valid table, and is never freed.
    unsafe {
        let system = sqlite3_vfs_find(ptr::null());
        assert!(!system.is_null(), "SQLite has a file system");
        SYSTEM.get_or_init(|| System(system));
        let mut ours = ptr::read(system);
        ours.szOsFile += c_int::try_from(size_of::<File>()).expect("a few words");
        ours.zName = c"recording".as_ptr();
        ours.pNext = ptr::null_mut();
        ours.xOpen = Some(open);
        ours.xDelete = Some(delete);
        let ours = Box::leak(Box::new(ours));
        assert_eq!(sqlite3_vfs_register(ours, 1), SQLITE_OK);
    }
}

fn system() -> *mut sqlite3_vfs {
    SYSTEM.get().expect("registered before any file is opened").0
}

/// The system's own file behind ours.
///
/// # Safety
/// `file` is memory of `szOsFile` bytes that SQLite allotted for this file system.
unsafe fn real(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: see above; the system's file begins where ours ends, aligned as a pointer is.
    unsafe { file.cast::<u8>().add(size_of::<File>()).cast() }
}

/// Calls a method of the system's own file.
macro_rules! pass {
    ($file:expr, $method:ident $(, $argument:expr)*) => {{
        // SAFETY: SQLite calls a method only on a file that `open` opened, and with the arguments of that method.
        unsafe {
            let real = real($file);
            match (*(*real).pMethods).$method {
                Some(method) => method(real $(, $argument)*),
                None => unreachable!("the system's file system has every method"),
            }
        }
    }};
}

fn handle<'a>(file: *mut sqlite3_file) -> Option<&'a Handle> {
    // SAFETY: `file` was opened by `open`, which set the handle; SQLite does not close a file while it calls it.
    unsafe { (*file.cast::<File>()).handle.as_ref() }
}

/// What SQLite is told of a fault.
fn code(fault: Fault) -> c_int {
    match fault {
        Fault::Full(_) => SQLITE_FULL,
        Fault::Flush(_) => SQLITE_IOERR_FSYNC,
        Fault::ReadOnly(_) => SQLITE_READONLY,
    }
}

unsafe extern "C" fn open(
    _vfs: *mut sqlite3_vfs,
    name: sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite hands memory of `szOsFile` bytes and a name that is null or ends in a zero.
    unsafe {
        let ours = file.cast::<File>();
        (*ours).base.pMethods = ptr::null();
        (*ours).handle = ptr::null_mut();
        let Some(open) = (*system()).xOpen else { unreachable!("a file system opens files") };
        let real = real(file);
        (*real).pMethods = ptr::null();
        let answer = open(system(), name, real, flags, out);
        if answer != SQLITE_OK {
            return answer;
        }
        if flags & SQLITE_OPEN_READONLY == 0
            && let Some((tape, name)) = path(name).and_then(tape_of)
        {
            (*ours).handle = Box::into_raw(Box::new(Handle { tape, name }));
        }
        (*ours).base.pMethods = &raw const METHODS;
        SQLITE_OK
    }
}

/// A name as a path; none for a file that has no name.
fn path<'a>(name: *const c_char) -> Option<&'a Path> {
    if name.is_null() {
        return None;
    }
    // SAFETY: a name of SQLite ends in a zero and outlives the call.
    let name = unsafe { CStr::from_ptr(name) };
    Some(Path::new(OsStr::from_bytes(name.to_bytes())))
}

unsafe extern "C" fn delete(_vfs: *mut sqlite3_vfs, name: *const c_char, sync_dir: c_int) -> c_int {
    if let Some((tape, file)) = path(name).and_then(tape_of) {
        let mut tape = lock(&tape);
        tape.ops.push(Op::Delete { file: file.clone() });
        if sync_dir != 0 {
            tape.ops.push(Op::Sync { file });
        }
    }
    // SAFETY: the arguments are SQLite's own.
    unsafe {
        match (*system()).xDelete {
            Some(delete) => delete(system(), name, sync_dir),
            None => unreachable!("a file system deletes files"),
        }
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let answer = pass!(file, xClose);
    // SAFETY: the handle came from `Box::into_raw`, and SQLite closes a file once.
    unsafe {
        let ours = file.cast::<File>();
        if !(*ours).handle.is_null() {
            drop(Box::from_raw((*ours).handle));
            (*ours).handle = ptr::null_mut();
        }
    }
    answer
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    data: *const c_void,
    length: c_int,
    at: sqlite3_int64,
) -> c_int {
    if let Some(handle) = handle(file) {
        // SAFETY: SQLite hands `length` bytes.
        let bytes =
            unsafe { std::slice::from_raw_parts(data.cast::<u8>(), usize::try_from(length).unwrap_or(0)) };
        let at = u64::try_from(at).unwrap_or(0);
        if let Err(fault) = lock(&handle.tape).write(&handle.name, at, bytes) {
            return code(fault);
        }
    }
    pass!(file, xWrite, data, length, at)
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    if let Some(handle) = handle(file) {
        let size = u64::try_from(size).unwrap_or(0);
        lock(&handle.tape).ops.push(Op::Truncate { file: handle.name.clone(), size });
    }
    pass!(file, xTruncate, size)
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    if let Some(handle) = handle(file)
        && let Err(fault) = lock(&handle.tape).flush(&handle.name)
    {
        return code(fault);
    }
    pass!(file, xSync, flags)
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    to: *mut c_void,
    length: c_int,
    at: sqlite3_int64,
) -> c_int {
    pass!(file, xRead, to, length, at)
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut sqlite3_int64) -> c_int {
    pass!(file, xFileSize, size)
}

unsafe extern "C" fn take_lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    pass!(file, xLock, level)
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    pass!(file, xUnlock, level)
}

unsafe extern "C" fn check_reserved_lock(file: *mut sqlite3_file, out: *mut c_int) -> c_int {
    pass!(file, xCheckReservedLock, out)
}

unsafe extern "C" fn file_control(file: *mut sqlite3_file, op: c_int, argument: *mut c_void) -> c_int {
    pass!(file, xFileControl, op, argument)
}

unsafe extern "C" fn sector_size(file: *mut sqlite3_file) -> c_int {
    pass!(file, xSectorSize)
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    pass!(file, xDeviceCharacteristics)
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    pass!(file, xShmMap, region, size, extend, out)
}

unsafe extern "C" fn shm_lock(file: *mut sqlite3_file, offset: c_int, count: c_int, flags: c_int) -> c_int {
    pass!(file, xShmLock, offset, count, flags)
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    pass!(file, xShmBarrier);
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, delete: c_int) -> c_int {
    pass!(file, xShmUnmap, delete)
}
