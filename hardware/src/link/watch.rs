//! Hears from the kernel when a device's name may have come, gone or changed hands.
//!
//! It watches the folder that the name is in. Folders such as /dev/serial/by-id are made and removed with their
//! devices, so the nearest folder that exists is watched instead, and where the name is a link, the folder of what it
//! points to as well: the node gets its owner after it was made. Nothing is opened here.

use std::ffi::OsString;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};

use super::Deadline;

/// Links that are followed to the node: more is a circle.
const LINKS_MAX: usize = 8;

/// What may make a name mean something else. Reading, writing, opening and closing are not among it: a look at the
/// device would ring for itself, for ever.
const CHANGES: AddWatchFlags = AddWatchFlags::IN_CREATE
    .union(AddWatchFlags::IN_DELETE)
    .union(AddWatchFlags::IN_MOVED_FROM)
    .union(AddWatchFlags::IN_MOVED_TO)
    .union(AddWatchFlags::IN_ATTRIB)
    .union(AddWatchFlags::IN_DELETE_SELF)
    .union(AddWatchFlags::IN_MOVE_SELF)
    .union(AddWatchFlags::IN_ONLYDIR);

/// A watch over one name.
pub(super) struct Watch {
    inotify: Inotify,
    path: PathBuf,
    /// Folders under watch, and the name in each that matters.
    folders: Vec<(WatchDescriptor, OsString)>,
}

impl Watch {
    /// Begins to watch; none if the system gives no watch. What changed before is not told, so look afterwards.
    pub(super) fn new(path: &Path) -> Option<Watch> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).ok()?;
        let path = std::path::absolute(path).ok()?;
        let mut watch = Watch { inotify, path, folders: Vec::new() };
        watch.arm();
        (!watch.folders.is_empty()).then_some(watch)
    }

    /// Waits until the name may mean something else. `false`: not within `wait`.
    pub(super) fn wait(&mut self, wait: Duration) -> bool {
        let deadline = Deadline::after(wait);
        loop {
            let mut files = [PollFd::new(self.inotify.as_fd(), PollFlags::POLLIN)];
            let left = PollTimeout::try_from(deadline.left()).unwrap_or(PollTimeout::MAX);
            match poll(&mut files, left) {
                Ok(0) => return false,
                Ok(_) if self.matters() => {
                    self.arm();
                    return true;
                }
                Ok(_) | Err(_) if deadline.has_passed() => return false,
                Ok(_) | Err(_) => {}
            }
        }
    }

    /// Reads what was rung for, and says whether any of it is about the name.
    fn matters(&mut self) -> bool {
        let Ok(events) = self.inotify.read_events() else { return true };
        events.iter().any(|event| {
            // A watch that was taken off says so, which is no news: taking it as such would ring for ever.
            let watched = self.folders.iter().find(|(folder, _)| *folder == event.wd);
            match (&event.name, watched) {
                (Some(name), Some((_, wanted))) => name == wanted,
                // The folder itself.
                (None, Some(_)) => true,
                // More than the kernel could keep.
                (_, None) => event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW),
            }
        })
    }

    /// Watches the folders that matter as things stand now.
    fn arm(&mut self) {
        for (folder, _) in self.folders.drain(..) {
            // Gone by itself when its folder was removed.
            let _ = self.inotify.rm_watch(folder);
        }
        for (folder, name) in places(&self.path) {
            if let Ok(watched) = self.inotify.add_watch(&folder, CHANGES) {
                self.folders.push((watched, name));
            }
        }
    }
}

/// For the path and each link on its way: the nearest folder that exists, and the name in it that is missing or meant.
fn places(path: &Path) -> Vec<(PathBuf, OsString)> {
    let mut found = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(path) = next.take().filter(|_| found.len() < LINKS_MAX) {
        let mut name = path.file_name().map(OsString::from).unwrap_or_default();
        let mut folder = path.parent().unwrap_or(Path::new("/"));
        while !folder.is_dir() {
            let Some(above) = folder.parent() else { break };
            name = folder.file_name().map(OsString::from).unwrap_or_default();
            folder = above;
        }
        if let Ok(target) = std::fs::read_link(&path) {
            next = Some(folder.join(target));
        }
        found.push((folder.to_owned(), name));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// Longer than anything here takes on a busy machine.
    const LONG: Duration = Duration::from_secs(10);
    /// Nothing is expected within it.
    const SHORT: Duration = Duration::from_millis(30);

    #[test]
    fn a_name_in_folders_that_come_and_go_is_heard_of_each_time() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("serial/by-id");
        let name = folder.join("scanner");
        let mut watch = Watch::new(&name).unwrap();
        for _ in 0..3 {
            std::fs::create_dir_all(&folder).unwrap();
            assert!(watch.wait(LONG), "the first folder came");
            symlink("../../ttyACM0", &name).unwrap();
            assert!(watch.wait(LONG), "the name came");
            std::fs::write(root.path().join("ttyACM0"), "").unwrap();
            assert!(watch.wait(LONG), "what it points to came");
            std::fs::remove_dir_all(root.path().join("serial")).unwrap();
            std::fs::remove_file(root.path().join("ttyACM0")).unwrap();
            assert!(watch.wait(LONG), "all of it went");
            while watch.wait(SHORT) {}
        }
    }

    #[test]
    fn other_names_in_the_folder_do_not_wake_it() {
        let root = tempfile::tempdir().unwrap();
        let mut watch = Watch::new(&root.path().join("scanner")).unwrap();
        for name in ["printer", "scanner.new", "tty7"] {
            std::fs::write(root.path().join(name), "").unwrap();
        }
        assert!(!watch.wait(SHORT));
        std::fs::write(root.path().join("scanner"), "").unwrap();
        assert!(watch.wait(LONG));
        std::fs::read(root.path().join("scanner")).unwrap();
        assert!(!watch.wait(SHORT), "a look at it is no news");
    }

    #[test]
    fn a_circle_of_links_ends() {
        let root = tempfile::tempdir().unwrap();
        symlink("b", root.path().join("a")).unwrap();
        symlink("a", root.path().join("b")).unwrap();
        assert_eq!(places(&root.path().join("a")).len(), LINKS_MAX);
    }
}
