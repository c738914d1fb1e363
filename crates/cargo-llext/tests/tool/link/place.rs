//! Memory of this process at the addresses that a file was linked for.

use std::ffi::c_void;
use std::ops::Range;

use object::{Object, ObjectSegment, Segment, SegmentFlags, elf};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

const PAGE: u64 = 4096;

/// A mapped segment; gone with its value.
pub(super) struct Mapped {
    start: u64,
    len: u64,
    pub(super) range: Range<usize>,
}

impl Mapped {
    /// All of a file's segments, with their contents, protected as they say.
    pub(super) fn all(bytes: &[u8]) -> Vec<Self> {
        map(bytes, |segment, flags| Self::new(segment, segment.data().unwrap(), flags))
    }

    /// The same, but for the contents of what is not code: that can be written.
    pub(super) fn to_be_filled(bytes: &[u8]) -> Vec<Self> {
        map(bytes, |segment, flags| match flags.contains(elf::PF_X) {
            true => Self::new(segment, segment.data().unwrap(), flags),
            false => Self::new(segment, &[], elf::PF_R | elf::PF_W),
        })
    }

    fn new(segment: &Segment<'_, '_>, contents: &[u8], flags: elf::ProgramFlags) -> Self {
        let (address, size) = (segment.address(), segment.size());
        let start = address & !(PAGE - 1);
        let len = (address + size - start).next_multiple_of(PAGE);
        let place = start as *mut c_void;
        let protection = match (flags.contains(elf::PF_W), flags.contains(elf::PF_X)) {
            (true, _) => MprotectFlags::READ | MprotectFlags::WRITE,
            (_, true) => MprotectFlags::READ | MprotectFlags::EXEC,
            _ => MprotectFlags::READ,
        };
        let fixed = MapFlags::PRIVATE | MapFlags::FIXED_NOREPLACE;
        // SAFETY: nothing else of this process lies there, or this fails; the contents fit.
        unsafe {
            mmap_anonymous(place, len as usize, ProtFlags::READ | ProtFlags::WRITE, fixed).unwrap();
            std::ptr::copy_nonoverlapping(contents.as_ptr(), address as *mut u8, contents.len());
            mprotect(place, len as usize, protection).unwrap();
        }
        Self { start, len, range: address as usize..(address + size) as usize }
    }
}

fn map(bytes: &[u8], map: impl Fn(&Segment<'_, '_>, elf::ProgramFlags) -> Mapped) -> Vec<Mapped> {
    let file = object::File::parse(bytes).unwrap();
    let segments = file.segments().filter(|segment| segment.size() > 0);
    segments
        .map(|segment| match segment.flags() {
            SegmentFlags::Elf { p_flags, .. } => map(&segment, p_flags),
            _ => panic!("no ELF file"),
        })
        .collect()
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: it was mapped by `new`, and nothing refers to it any more.
        unsafe { munmap(self.start as *mut c_void, self.len as usize).unwrap() };
    }
}
