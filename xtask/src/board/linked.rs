//! An extension that is linked on this computer for a board's firmware, and loaded there where it was linked for.

use std::fs;
use std::path::Path;
use std::process::Command;

use object::{Object, ObjectSymbol};

use super::{Board, DEMO, LIMIT};
use crate::error::{Result, bail};
use crate::{process, project};

/// What the demonstration looks for in the folder that the emulator runs in.
const LINKED: &str = "linked.elf";

/// What `probe` of boards/extensions/linked.c returns.
const EXPECTED: &str = "probe: 126";

/// Where a file's code and constants go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// Into what stands for flash, by the emulator, as a programmer would put them there; the firmware finds them.
    InFlash,
    /// Into RAM, by the firmware, as its data.
    InRam,
}

/// The memory that a firmware keeps for linked extensions.
struct Located {
    flash: u64,
    ram: u64,
}

impl Located {
    fn of(firmware: &Path) -> Result<Option<Self>> {
        let bytes = fs::read(firmware)?;
        let file = object::File::parse(&*bytes)?;
        let address = |name: &str| Some(file.symbol_by_name(name)?.address());
        let both = address("__located_flash_start").zip(address("__located_ram_start"));
        Ok(both.map(|(flash, ram)| Self { flash, ram }))
    }
}

impl Board {
    /// Links boards/extensions/linked.c for the firmware, if that keeps memory for it, once for each kind of memory; what it
    /// answers there is compared.
    pub(super) fn run_linked(&self, firmware: &Path) -> Result<()> {
        let Some(located) = Located::of(firmware)? else { return Ok(()) };
        let object = self.output().join("linked.o");
        self.build_c("linked")?;
        for kept in [Kept::InFlash, Kept::InRam] {
            let said = self.load_linked(firmware, &located, &object, kept)?;
            if !said.lines().any(|line| line.trim_end() == EXPECTED) {
                bail!("the linked extension did not say `{EXPECTED}`")
            }
        }
        Ok(())
    }

    /// Links this file for the firmware, and loads it there.
    pub(super) fn run_given_linked(&self, object: &Path) -> Result<()> {
        let firmware = self.build_firmware(DEMO)?;
        match Located::of(&firmware)? {
            Some(located) => self.load_linked(&firmware, &located, object, Kept::InFlash).map(drop),
            None => bail!("{} keeps no memory for linked extensions", self.name),
        }
    }

    /// What the firmware says.
    fn load_linked(&self, firmware: &Path, located: &Located, object: &Path, kept: Kept) -> Result<String> {
        let linked = self.output().join(LINKED);
        let Located { flash, ram } = *located;
        let mut tool = Command::new(project::tool()?);
        tool.args(["llext", "link"]).arg(object).arg("--against").arg(firmware).arg("-o").arg(&linked);
        match kept {
            Kept::InFlash => {
                tool.args(["--at", &format!("code={flash:#x}"), "--at", &format!("data={ram:#x}")])
            }
            Kept::InRam => tool.args(["--at", &format!("code={ram:#x}")]),
        };
        process::run(&mut tool)?;
        let mut emulator = self.emulator(firmware);
        if kept == Kept::InFlash {
            emulator.args(["-device", &format!("loader,file={LINKED}")]);
        }
        let said = process::output_within(&mut emulator, LIMIT);
        fs::remove_file(&linked)?;
        said.inspect(|said| print!("{said}"))
    }
}
