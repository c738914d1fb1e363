//! `llext link FILE --at REGION=ADDR --against FIRMWARE -o OUT`: links on this machine what a device then only maps, or
//! copies, and calls.

pub(crate) mod cores;
mod exports;
mod file;
mod image;
mod regions;

use std::fmt;
use std::fs;

use llext_link::addr::Part;
use serde::Serialize;

use crate::cli::Link;
use crate::elf::{self, Extension};
use crate::error::Error;
use crate::host::Host;
use crate::plan::as_its_format;
use crate::table::Columns;
use crate::terminal::GOOD;

use file::Image;
pub(crate) use regions::Wanted;

/// Where everything went.
#[derive(Serialize)]
pub(crate) struct Report {
    file: String,
    output: String,
    against: Vec<String>,
    regions: Vec<Region>,
    /// Far-call stubs, in the code.
    stubs: usize,
    /// Slots of the global offset table, in the constants.
    got_slots: usize,
    exports: usize,
    /// How many symbols of others are used.
    imports: usize,
}

#[derive(Serialize)]
struct Region {
    region: String,
    address: u64,
    /// In memory.
    bytes: u64,
    /// Of these in the file; the others are zero.
    in_file: u64,
    align: u32,
}

/// What is linked, and for what.
struct Job<'a> {
    extension: &'a Extension<'a>,
    hosts: &'a [Host],
    at: &'a [Wanted],
}

pub(crate) fn run(arguments: &Link) -> Result<Report, Error> {
    let bytes = elf::read(&arguments.file)?;
    let extension = Extension::parse(&arguments.file.display().to_string(), &bytes)?;
    if !extension.relocatable() {
        return Err(Error::NotAnObject { file: extension.path });
    }
    let hosts = arguments.against.iter().map(|path| Host::read(path)).collect::<Result<Vec<_>, _>>()?;
    for host in &hosts {
        host.suits(&extension)?;
        host.must_be_fixed()?;
    }
    let (image, bytes) = link(&bytes, &extension, &hosts, &arguments.at)?;
    fs::write(&arguments.output, bytes).map_err(Error::unwritable(&arguments.output))?;
    Ok(Report {
        output: arguments.output.display().to_string(),
        against: hosts.iter().map(|host| host.path.display().to_string()).collect(),
        regions: image.segments.iter().map(Region::of).collect(),
        stubs: image.stubs,
        got_slots: image.got_slots,
        exports: image.exports,
        imports: image.imports,
        file: extension.path,
    })
}

/// Links the file; what the image holds, and the bytes of its file.
pub(crate) fn link(
    bytes: &[u8],
    extension: &Extension<'_>,
    hosts: &[Host],
    at: &[Wanted],
) -> Result<(Image, Vec<u8>), Error> {
    let job = Job { extension, hosts, at };
    let image = as_its_format!(bytes, image::link, &job)?;
    let bytes = image.to_bytes()?;
    Ok((image, bytes))
}

impl Region {
    fn of(segment: &file::Segment) -> Self {
        let file::Segment { part, address, size, align, .. } = *segment;
        Self { region: part.to_string(), address, bytes: size, in_file: segment.bytes.len() as u64, align }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, output, exports, imports, .. } = self;
        let hosts = self.against.join(", ");
        writeln!(f, "{GOOD}linked{GOOD:#} {file} for {hosts} (exports {exports}, imports {imports})")?;
        let mut columns = Columns::new(&["region", "address", ">bytes", ">in the file", ">align"]);
        for region in &self.regions {
            columns.row([
                region.region.clone(),
                format!("{:#x}", region.address),
                region.bytes.to_string(),
                region.in_file.to_string(),
                region.align.to_string(),
            ]);
        }
        write!(f, "{columns}")?;
        writeln!(f, "  with {} far-call stubs and {} GOT slots", self.stubs, self.got_slots)?;
        writeln!(f, "{output}")
    }
}

/// The regions of an object, in the order in which they follow one another.
const ORDER: [Part; 3] = [Part::Code, Part::Constants, Part::Data];
