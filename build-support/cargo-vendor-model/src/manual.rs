//! Manual pages, made of the same texts as the help.

use std::fs;
use std::path::Path;

use clap::Command;
use clap_mangen::Man;

use crate::failure::Failure;

/// That of the command as a whole.
pub fn page(command: Command) -> Result<String, Failure> {
    let mut page = Vec::new();
    let rendered = Man::new(command).render(&mut page);
    rendered.map_err(|error| Failure::new("cannot render the manual page").fact("found", error))?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// Writes that and those of all commands.
pub fn write(command: Command, dir: &Path) -> Result<(), Failure> {
    let written = fs::create_dir_all(dir)
        .and_then(|()| clap_mangen::generate_to(command.disable_help_subcommand(true), dir));
    written.map_err(|error| Failure::io("write pages into", dir, &error))
}
