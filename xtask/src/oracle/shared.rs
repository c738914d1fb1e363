//! Shared objects: no linker relocates them, so llext-link's image is compared with what [`super::applier`] makes.

use llext_link::Error as LinkError;
use llext_link::addr::Word;
use llext_link::arch::Arch;
use llext_link::elf::dynamic::Dynamic;
use llext_link::elf::relocation::Relocations;
use llext_link::elf::segment::{self, Segment, Span};
use llext_link::elf::{Elf32Le, Elf64Le, Format};
use llext_link::relocate::{Linker, Pairs, Target, apply_relr};
use llext_link::symbol::{Addresses, Assign, BOUND, Query, Resolve, View};
use llext_link::veneer::Area;
use llext_link::whole::read_header;

use super::applier::{self, Applied};
use super::case::{Case, Outcome};
use super::compare::Difference;
use super::externals::hash;
use crate::error::{Error, Result};

/// Links the shared object both ways and compares every byte of its segments.
pub(super) fn compare(case: &Case, bytes: &[u8]) -> Result<Outcome> {
    let (arch, places) = (case.variant.arch, &case.target.places);
    let provide = |name: &str| provided(case, name);
    let theirs = applier::apply(bytes, places.high, &provide)?;
    let ours = if case.target.wide {
        link::<Elf64Le>(bytes, arch, places.high, &provide)
    } else {
        link::<Elf32Le>(bytes, arch, places.high, &provide)
    };
    let ours = ours.map_err(|error| Error::new(format!("llext-link refuses: {error}")))?;
    Ok(Outcome { differences: differences(&ours, &theirs), types: theirs.types })
}

/// Addresses of the outside: anywhere, and not all names have one.
fn provided(case: &Case, name: &str) -> Option<u64> {
    let hash = hash(name);
    let nowhere = name.contains("weak") && hash & 0x10_0000 != 0;
    (!nowhere).then(|| case.target.places.far + hash % 0xff_ffff * 16 + case.variant.code_bit(hash, true))
}

fn differences(ours: &[u8], theirs: &Applied) -> Vec<Difference> {
    // What is read-only after relocation may end later than its segment, where the page ends: with zeros.
    let is_zero = |rest: &[u8]| rest.iter().all(|byte| *byte == 0);
    if ours.len() < theirs.bytes.len() || !is_zero(&ours[theirs.bytes.len()..]) {
        let size = |bytes: &[u8]| format!("{:#x} bytes", bytes.len());
        return vec![difference(0, None, size(ours), size(&theirs.bytes))];
    }
    let mut differences = Vec::new();
    let mut at = 0;
    while let Some(next) = ours.iter().zip(&theirs.bytes).skip(at).position(|(ours, theirs)| ours != theirs) {
        let start = at + next;
        let covers = |(offset, _, _): &&(u64, String, String)| (start as u64).wrapping_sub(*offset) < 8;
        let relocation =
            theirs.log.iter().find(covers).map(|(_, r_type, symbol)| (r_type.clone(), symbol.clone()));
        let end = (start / 8 * 8 + 8).min(ours.len());
        let text = |bytes: &[u8]| bytes[start..end].iter().map(|byte| format!("{byte:02x}")).collect();
        differences.push(difference(start as u64, relocation, text(ours), text(&theirs.bytes)));
        at = end;
    }
    differences
}

fn difference(offset: u64, relocation: Option<(String, String)>, ours: String, theirs: String) -> Difference {
    let (linker, section) = ("the applier", "image".to_owned());
    Difference { linker, section, offset, relocation, ours, theirs }
}

type Provide<'a> = &'a dyn Fn(&str) -> Option<u64>;

/// llext-link's stages for a shared object, as a load runs them.
fn link<F: Format>(bytes: &[u8], arch: &Arch, base: u64, provide: Provide<'_>) -> Result<Vec<u8>, LinkError> {
    let header = read_header::<F>(bytes)?;
    arch.check(&header)?;
    let mut segments = vec![Segment::default(); header.segment_count as usize];
    let span = segment::scan::<F>(&header, header.segments.of(bytes).unwrap_or_default(), &mut segments)?;
    let mut image = vec![0; span.size as usize];
    for segment in segments.iter().take(span.count as usize) {
        let contents = segment.extent().of(bytes).unwrap_or_default();
        let at = (segment.address() - span.base) as usize;
        image[at..at + contents.len()].copy_from_slice(contents);
    }
    let bias = F::Word::of(base).minus(F::Word::of(span.base));
    let dynamic = Dynamic::parse::<F>(&image, &span)?;
    let values = values::<F>(&dynamic, &image, &span, bias, provide)?;
    let (address, origin) = (F::Word::of(base), F::Word::of(span.base));
    apply_relr::<F>(&mut Target { bytes: &mut image, address, origin }, dynamic.relr, bias)?;
    for table in dynamic.relocations {
        let records = table.extent.of(&image).unwrap_or_default().to_vec();
        let nothing = || Area { bytes: &mut [], address, used: 0 };
        let mut linker = Linker::<F> {
            arch,
            values: &values,
            symbols: None,
            slots: &mut [],
            got: nothing(),
            stubs: nothing(),
            index: &mut [],
            pairs: Pairs::default(),
            thread: None,
            bias,
            deferred: 0,
        };
        let mut target = Target { bytes: &mut image, address, origin };
        linker.apply(&mut target, Relocations::new(table.role, &records))?;
    }
    Ok(image)
}

fn values<F: Format>(
    dynamic: &Dynamic,
    image: &[u8],
    span: &Span,
    bias: F::Word,
    provide: Provide<'_>,
) -> Result<Vec<F::Word>, LinkError> {
    let symbols = dynamic.symbols::<F>(image)?;
    let kind = llext_link::elf::header::Kind::Shared;
    let view = View { kind, symbols, sections: &[], names: &[], exports_globals: false };
    let mut values = vec![F::Word::default(); symbols.len() as usize];
    let mut lookup = |queries: &[Query<'_>], found: &mut [Option<u64>]| {
        for (query, found) in queries.iter().zip(found) {
            *found = provide(&String::from_utf8_lossy(query.name));
        }
    };
    let mut resolve = Resolve::default();
    resolve.step(&view, &mut values, u32::MAX, &mut lookup, &mut |_| {})?;
    resolve.finish(&symbols)?;
    let nothing = F::Word::default();
    let addresses = Addresses {
        parts: [nothing; 4],
        commons: 0,
        got: nothing,
        dso_handle: nothing,
        bound: [nothing; BOUND],
    };
    let base = (F::Word::of(span.base), span.size, bias);
    Assign::default().step_shared(&view, &mut values, &addresses, base, u32::MAX)?;
    Ok(values)
}
