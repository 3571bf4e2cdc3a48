//! Copies of files: their bytes, not their permissions, and copy-on-write where the file system has it.
//!
//! Never a hard or a symbolic link: what is done to the copy is not done to the original.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::digest::Content;

/// Copies the file at `from` to `to` and says what the copy is; `None` where `from` is no file.
pub(crate) fn copy(from: &Path, to: &Path) -> io::Result<Option<Content>> {
    let Some(source) = Content::open(from)? else { return Ok(None) };
    duplicate(&source, from, to)?;
    Content::of_file(to)
}

/// On Linux the kernel copies between two open files, and shares their blocks where it can.
#[cfg(not(target_os = "macos"))]
fn duplicate(mut source: &File, _: &Path, to: &Path) -> io::Result<()> {
    io::copy(&mut source, &mut File::create(to)?).map(drop)
}

/// Only by name are blocks shared here, and permissions come along.
#[cfg(target_os = "macos")]
fn duplicate(_: &File, from: &Path, to: &Path) -> io::Result<()> {
    std::fs::copy(from, to)?;
    let mut permissions = std::fs::metadata(to)?.permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
    std::fs::set_permissions(to, permissions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "what is copied has to be there")]
    fn a_copy_of_a_read_only_file_can_be_written() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        std::fs::write(&from, "weights").unwrap();
        let mut permissions = std::fs::metadata(&from).unwrap().permissions();
        permissions.set_readonly(true);
        std::fs::set_permissions(&from, permissions).unwrap();
        assert_eq!(copy(&from, &to).unwrap(), Some(Content::of(b"weights")));
        assert!(!std::fs::metadata(&to).unwrap().permissions().readonly());
    }

    #[test]
    fn where_there_is_no_file_there_is_no_copy() {
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("to");
        assert_eq!(copy(&dir.path().join("none"), &to).unwrap(), None);
        assert_eq!(copy(dir.path(), &to).unwrap(), None);
        assert!(!to.exists());
    }
}
