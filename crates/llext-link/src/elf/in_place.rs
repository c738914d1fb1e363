//! Sections in place: those that are used where the file lies, at addresses that are known before anything is planned.
//!
//! A file whose bytes stay can give its constants as they are, and its code where that memory can be run; one that may
//! be written gives what has relocations as well, and variables. What has to stand in order (constructors, exports),
//! what lies at an address of too little alignment, and what `__start_X` could name is copied in any case.

use super::section::{RELOCATED, Role, Section};
use super::symbol::string_at;
use crate::error::Error;

/// The mark of a section that is used in place.
const IN_PLACE: u32 = 0x800;

impl Section {
    /// Whether it is used where it lies in the file.
    pub fn is_in_place(&self) -> bool {
        self.traits & IN_PLACE != 0
    }
}

/// What a file allows that is lent for as long as its extension lives.
#[derive(Clone, Copy, Debug, Default)]
pub struct InPlace {
    /// Its address.
    pub address: u64,
    /// Whether its memory can be run.
    pub code: bool,
    /// Whether its bytes may be changed.
    pub writable: bool,
}

impl InPlace {
    /// Chooses the sections that are used in place: after [`apply_names`](super::section::apply_names) and before
    /// anything is resolved. `detached` says, by index and name, which must be, code or not.
    pub fn choose(
        &self,
        sections: &mut [Section],
        names: &[u8],
        detached: &mut dyn FnMut(u32, &[u8]) -> bool,
    ) -> Result<(), Error> {
        let mut free = 0;
        for (index, section) in (0..).zip(sections).filter(|(_, section)| section.is_loaded()) {
            let name = names.get(section.name() as usize..).unwrap_or_default();
            let name = string_at(name.get(..MAX_NAME).unwrap_or(name), 0).unwrap_or_default();
            let must = detached(index, name);
            match self.obstacle(section, must, free) {
                None if must || name.starts_with(b".") => section.traits |= IN_PLACE,
                Some(why) if must => return Err(Error::NotInPlace { section: index, why }),
                _ => continue,
            }
            free = section.extent().end();
        }
        Ok(())
    }

    /// Why the section cannot be used in place, if it cannot. Bytes before `free` are another section's.
    fn obstacle(&self, section: &Section, must: bool, free: u64) -> Option<&'static str> {
        let at = u64::from(section.extent().offset);
        match section.role() {
            Role::Text if !self.code && !must => Some("its memory is not known to run"),
            Role::Data if !self.writable => Some("it is written"),
            Role::Text | Role::Rodata | Role::Data => {
                if section.traits & RELOCATED != 0 && !self.writable {
                    Some("it has relocations")
                } else if self.address.wrapping_add(at) & u64::from(section.align() - 1) != 0 {
                    Some("it is not aligned")
                } else {
                    (section.size() == 0 || at < free)
                        .then_some("it is empty, or not in the order of the file")
                }
            }
            _ => Some("it is neither code, constants nor variables"),
        }
    }
}

/// The longest name that is told, bytes.
const MAX_NAME: usize = 256;

/// Has all sections copied after all.
pub fn give_up(sections: &mut [Section]) {
    sections.iter_mut().for_each(|section| section.traits &= !IN_PLACE);
}

#[cfg(test)]
mod tests {
    use super::*;

    extern crate std;
    use std::vec::Vec;

    const NAMES: &[u8] = b"\0.text\0.rodata\0table\0.data\0";
    const TEXT: u32 = 1;
    const RODATA: u32 = 7;
    const TABLE: u32 = 15;
    const DATA: u32 = 21;

    fn section(role: Role, [offset, name]: [u32; 2], marks: u32) -> Section {
        zerocopy::transmute!([offset, 8, name, 2 << 4 | role as u32 | marks])
    }

    fn sections() -> [Section; 6] {
        [
            section(Role::Text, [16, TEXT], 0),
            section(Role::Rodata, [24, RODATA], 0),
            section(Role::Rodata, [32, RODATA], RELOCATED),
            section(Role::Rodata, [40, TABLE], 0),
            section(Role::Data, [48, DATA], RELOCATED),
            section(Role::Init, [56, DATA], RELOCATED),
        ]
    }

    fn chosen(file: InPlace) -> Vec<usize> {
        let mut sections = sections();
        file.choose(&mut sections, NAMES, &mut |_, _| false).unwrap();
        (0..6).filter(|index| sections[*index].is_in_place()).collect()
    }

    #[test]
    fn what_stays_follows_from_what_the_file_allows() {
        let file = InPlace { address: 0x1000, code: false, writable: false };
        assert_eq!(chosen(file), [1]);
        assert_eq!(chosen(InPlace { code: true, ..file }), [0, 1]);
        assert_eq!(chosen(InPlace { writable: true, ..file }), [1, 2, 4]);
        assert_eq!(chosen(InPlace { address: 0x1002, code: true, writable: true }), []);
    }

    #[test]
    fn sections_in_place_do_not_overlap() {
        let file = InPlace { address: 0x1000, code: true, writable: false };
        let mut both = [section(Role::Text, [16, TEXT], 0), section(Role::Rodata, [20, RODATA], 0)];
        file.choose(&mut both, NAMES, &mut |_, _| false).unwrap();
        assert!(both[0].is_in_place() && !both[1].is_in_place());
    }

    #[test]
    fn what_must_stay_stays_or_says_why() {
        let file = InPlace { address: 0x1000, code: false, writable: false };
        let mut all = sections();
        file.choose(&mut all, NAMES, &mut |_, name| name == b".text").unwrap();
        assert!(all[0].is_in_place() && all[1].is_in_place());
        give_up(&mut all);
        assert!(!all.iter().any(Section::is_in_place));
        for (must, why) in [
            (2, "it has relocations"),
            (4, "it is written"),
            (5, "it is neither code, constants nor variables"),
        ] {
            let refused = file.choose(&mut sections(), NAMES, &mut |index, _| index == must);
            assert_eq!(refused, Err(Error::NotInPlace { section: must, why }));
        }
    }
}
