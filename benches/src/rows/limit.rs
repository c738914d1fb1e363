//! What no loader can beat: everything but moving the bytes was decided beforehand.
//!
//! Load: one mapping with its pages present, one memcpy a section, one unchecked write a relocation whose place and
//! value are known, one mprotect a protection. Look-up: the place of each name is known, the name is compared once.
//! Unload: munmap.

use super::{Row, missing};
use crate::workload::{Name, Workload, is_allocated};
use llext_bench::HOST;
use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionIndex, SectionKind};
use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr::{copy_nonoverlapping, null_mut, write_unaligned};

const PAGE: usize = 4096;

/// The object, placed and linked by heart.
pub(crate) struct Limit<'w> {
    plan: Plan<'w>,
    base: Option<*mut u8>,
}

/// Everything that can be known before the address is.
#[derive(Default)]
struct Plan<'w> {
    size: usize,
    copies: Vec<(usize, &'w [u8])>,
    /// Values that hold wherever the object lies.
    absolute: Vec<Write>,
    /// Values that count from where it lies.
    relative: Vec<Write>,
    protections: Vec<(usize, usize, i32)>,
    exports: Vec<(&'w str, usize)>,
}

struct Write {
    place: u32,
    value: u64,
}

impl<'w> Limit<'w> {
    /// The row for `workload`.
    pub(crate) fn new(workload: &'w Workload) -> Result<Self, String> {
        let plan = Plan::of(workload).map_err(|error| format!("the limit's plan: {error}"))?;
        Ok(Self { plan, base: None })
    }
}

impl<'w> Plan<'w> {
    fn of(workload: &'w Workload) -> Result<Self, object::Error> {
        let file = object::File::parse(&*workload.object.bytes)?;
        let mut plan = Self::default();
        let places = plan.place(&file)?;
        let hosts: HashMap<_, _> =
            HOST.entries().iter().map(|export| (export.name().to_bytes(), export.address())).collect();
        for section in file.sections().filter(|section| places.contains_key(&section.index())) {
            for (offset, relocation) in section.relocations() {
                let RelocationTarget::Symbol(index) = relocation.target() else { continue };
                let symbol = file.symbol_by_index(index)?;
                let place = (places[&section.index()] + offset as usize) as u32;
                let addend = relocation.addend() as u64;
                match symbol.section_index() {
                    Some(own) => plan
                        .relative
                        .push(Write { place, value: places[&own] as u64 + symbol.address() + addend }),
                    None => {
                        let value = hosts[symbol.name_bytes()?] as u64 + addend;
                        plan.absolute.push(Write { place, value });
                    }
                }
            }
        }
        let defined: HashMap<_, _> = file
            .symbols()
            .filter_map(|symbol| {
                Some((symbol.name_bytes().ok()?, (symbol.section_index()?, symbol.address())))
            })
            .collect();
        for name in &workload.exports {
            let (section, offset) = defined[name.text.as_bytes()];
            plan.exports.push((&name.text, places[&section] + offset as usize));
        }
        Ok(plan)
    }

    /// Lays the sections out by protection, each protection on pages of its own.
    fn place(&mut self, file: &object::File<'w>) -> Result<HashMap<SectionIndex, usize>, object::Error> {
        let mut places = HashMap::new();
        for protection in
            [libc::PROT_READ | libc::PROT_EXEC, libc::PROT_READ, libc::PROT_READ | libc::PROT_WRITE]
        {
            let start = self.size;
            let wanted =
                file.sections().filter(is_allocated).filter(|section| protection_of(section) == protection);
            for section in wanted {
                self.size = self.size.next_multiple_of(section.align().max(1) as usize);
                places.insert(section.index(), self.size);
                self.copies.push((self.size, section.data()?));
                self.size += section.size() as usize;
            }
            self.size = self.size.next_multiple_of(PAGE);
            if self.size > start && protection & libc::PROT_WRITE == 0 {
                self.protections.push((start, self.size - start, protection));
            }
        }
        Ok(places)
    }
}

fn protection_of<'data>(section: &impl ObjectSection<'data>) -> i32 {
    match section.kind() {
        SectionKind::Text => libc::PROT_READ | libc::PROT_EXEC,
        SectionKind::Data | SectionKind::UninitializedData => libc::PROT_READ | libc::PROT_WRITE,
        _ => libc::PROT_READ,
    }
}

impl Row for Limit<'_> {
    fn name(&self) -> &'static str {
        "limit_o"
    }

    fn load(&mut self) -> Result<(), String> {
        let (size, access) = (self.plan.size, libc::PROT_READ | libc::PROT_WRITE);
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_POPULATE;
        // SAFETY: a new anonymous mapping touches nothing that exists.
        let mapping = unsafe { libc::mmap(null_mut(), size, access, flags, -1, 0) };
        if mapping == libc::MAP_FAILED {
            return Err(last_error("mmap"));
        }
        let base: *mut u8 = mapping.cast();
        self.base = Some(base);
        for &(place, bytes) in &self.plan.copies {
            // SAFETY: the plan's places lie in the mapping, which is new and so apart from the file's bytes.
            unsafe { copy_nonoverlapping(bytes.as_ptr(), base.add(place), bytes.len()) };
        }
        for write in &self.plan.absolute {
            // SAFETY: the plan's places lie in the mapping.
            unsafe { write_unaligned(base.add(write.place as usize).cast(), write.value) };
        }
        for write in &self.plan.relative {
            // SAFETY: the plan's places lie in the mapping.
            unsafe { write_unaligned(base.add(write.place as usize).cast(), base as u64 + write.value) };
        }
        for &(start, length, protection) in &self.plan.protections {
            // SAFETY: the range is part of the mapping.
            if unsafe { libc::mprotect(base.add(start).cast::<c_void>(), length, protection) } != 0 {
                return Err(last_error("mprotect"));
            }
        }
        Ok(())
    }

    fn look_up(&mut self, names: &[Name], addresses: &mut Vec<usize>) -> Result<(), String> {
        let base = self.base.ok_or("nothing is loaded")? as usize;
        for (name, (known, place)) in names.iter().zip(&self.plan.exports) {
            if name.text != *known {
                return Err(missing(name));
            }
            addresses.push(base + place);
        }
        Ok(())
    }

    fn unload(&mut self) -> Result<(), String> {
        let base = self.base.take().ok_or("nothing is loaded")?;
        // SAFETY: the mapping is this row's, and nothing points into it any more.
        match unsafe { libc::munmap(base.cast(), self.plan.size) } {
            0 => Ok(()),
            _ => Err(last_error("munmap")),
        }
    }
}

fn last_error(call: &str) -> String {
    format!("{call}: {}", std::io::Error::last_os_error())
}
