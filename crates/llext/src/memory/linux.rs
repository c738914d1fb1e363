//! Memory of a Linux process: one mapping for each block, written first and run afterwards.
//!
//! The parts follow each other in pages of their own: image, code, constants, data. What fills at
//! least half of a huge page is put on one, where Linux has any to give: loading a megabyte or two is
//! five times faster then, and so is unloading it (measured), for at most as much memory again.
//!
//! * <https://man7.org/linux/man-pages/man2/mmap.2.html>, `MAP_FIXED_NOREPLACE`
//! * <https://man7.org/linux/man-pages/man2/madvise.2.html>, `MADV_HUGEPAGE`, `MADV_POPULATE_WRITE`
//! * <https://man7.org/linux/man-pages/man2/pr_set_mdwe.2const.html>

mod place;

use super::{Block, Memory, MemoryError, Part, Protection, Request, SPREAD, Segment, Stage, Window};
use super::{check_segments, synchronize};
use place::Neighbourhood;
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::io::Errno;
use rustix::mm::{Advice, MapFlags, MprotectFlags, ProtFlags};
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::ptr::NonNull;

/// The memory of this process.
///
/// Blocks lie near the process's own code, so that short branches reach it, unless there is no room
/// or the request says otherwise.
#[derive(Debug)]
pub struct Linux {
    page: usize,
    places: Neighbourhood,
}

impl Linux {
    /// Memory near the code of this library.
    pub fn new() -> Self {
        Self::near((Self::new as fn() -> Self as *const ()).addr())
    }

    /// Memory near an address, say that of a function which extensions call often.
    pub fn near(address: usize) -> Self {
        Self { page: rustix::param::page_size(), places: Neighbourhood::new(address) }
    }
}

impl Default for Linux {
    fn default() -> Self {
        Self::new()
    }
}

impl Linux {
    /// The run addresses near this process's own code, where short branches to it work.
    pub fn nearby(&self) -> Window {
        self.places.window()
    }
}

// SAFETY: a block is a mapping of its own, laid out by `Plan` and found by `Neighbourhood::map`,
// which checks the window. Scratch is an allocation of its own.
unsafe impl Memory for Linux {
    type Block = LinuxBlock;
    type Scratch = LinuxScratch;

    fn reach(&self) -> Window {
        place::EVERYWHERE
    }

    fn reserve(&mut self, request: &Request) -> Result<LinuxBlock, MemoryError> {
        request.check()?;
        let Window { low, high } = request.window;
        let plan = Plan::new(request, self.page).filter(|plan| plan.size as u64 <= SPREAD);
        let wanted = request.sizes.iter().fold(0, |sum: usize, &size| sum.saturating_add(size));
        let plan = plan.ok_or(MemoryError::OutOfReach { low, high, wanted })?;
        let base = match plan.size {
            0 => NonNull::dangling(),
            size => self.places.map(size, plan.align, request.window)?,
        };
        Ok(LinuxBlock { base, plan, used: request.sizes, page: self.page, stage: Stage::Reserved })
    }

    fn release(&mut self, mut block: LinuxBlock) {
        block.retire();
        if block.plan.size != 0 {
            self.places.note(block.base.as_ptr().addr() + block.plan.size);
        }
    }

    fn scratch(&mut self, bytes: usize) -> Result<LinuxScratch, MemoryError> {
        LinuxScratch::new(bytes).ok_or(MemoryError::OutOfScratch { wanted: bytes, available: 0 })
    }

    fn give_back(&mut self, _: LinuxScratch) {}
}

/// From this many bytes on, one call that makes pages present is faster than a fault for each (10 to
/// 15 percent, measured); below, it is slower.
const POPULATE: usize = 64 << 10;
/// Unused memory of less is not worth a call to give it back.
const TRIM: usize = 64 << 10;
/// What a huge page holds where pages have 4096 bytes.
const HUGE: usize = 2 << 20;

/// The shape of a mapping: offsets from its base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Plan {
    starts: [usize; 4],
    sizes: [usize; 4],
    size: usize,
    align: usize,
    /// So many bytes from the start on are to lie on huge pages.
    huge: usize,
}

impl Plan {
    /// `None` if the sum is more than an address can count.
    fn new(request: &Request, page: usize) -> Option<Self> {
        let (mut starts, mut size, mut align) = ([0; 4], 0, page);
        for part in Part::ALL.map(|part| part as usize) {
            if request.sizes[part] != 0 {
                align = align.max(request.aligns[part]);
                size = usize::checked_next_multiple_of(size, request.aligns[part].max(page))?;
            }
            starts[part] = size;
            size = size.checked_add(request.sizes[part])?.checked_next_multiple_of(page)?;
        }
        let huge = if page == 4096 { on_huge_pages(starts[Part::Data as usize]) } else { 0 };
        let align = if huge != 0 { align.max(HUGE) } else { align };
        Some(Self { starts, sizes: request.sizes, size: size.max(huge), align, huge })
    }
}

/// How many bytes of huge pages `filled` bytes take, the last page at least half full. Data does not
/// count as filled: of large data, little may ever be touched.
fn on_huge_pages(filled: usize) -> usize {
    let (whole, rest) = (filled / HUGE, filled % HUGE);
    (whole + usize::from(rest >= HUGE / 2)) * HUGE
}

/// A mapping. Dropping it unmaps it.
#[derive(Debug)]
pub struct LinuxBlock {
    base: NonNull<u8>,
    plan: Plan,
    used: [usize; 4],
    page: usize,
    stage: Stage,
}

impl LinuxBlock {
    /// Where a part begins.
    fn start(&self, part: Part) -> *mut u8 {
        self.base.as_ptr().wrapping_add(self.plan.starts[part as usize])
    }

    /// The size of a part in whole pages.
    fn extent(&self, part: Part) -> usize {
        self.plan.sizes[part as usize].next_multiple_of(self.page)
    }

    /// Protects whole pages, `offset` bytes into a part.
    fn set(&self, part: Part, offset: usize, len: usize, protection: Protection) -> Result<(), MemoryError> {
        if len == 0 {
            return Ok(());
        }
        let start = self.start(part).wrapping_add(offset);
        let flags = match protection {
            Protection::Read => MprotectFlags::READ,
            Protection::ReadWrite => MprotectFlags::READ | MprotectFlags::WRITE,
            Protection::ReadExecute => MprotectFlags::READ | MprotectFlags::EXEC,
        };
        // SAFETY: the pages are this block's, and once it is sealed no slice of them exists.
        match unsafe { rustix::mm::mprotect(start.cast(), len, flags) } {
            Err(Errno::ACCESS | Errno::PERM) if protection == Protection::ReadExecute => {
                // SAFETY: as above.
                unsafe { make_executable_by_file(start, len)? };
            }
            done => done.map_err(refused("mprotect"))?,
        }
        if protection == Protection::ReadExecute {
            // SAFETY: the pages are readable.
            unsafe { synchronize(start.addr(), len) };
        }
        Ok(())
    }

    /// Refuses segments that would need one page to have two protections.
    fn check_pages(&self, image: &[Segment]) -> Result<(), MemoryError> {
        let clash = image.windows(2).find(|pair| {
            let end = (pair[0].offset + pair[0].size).next_multiple_of(self.page);
            pair[1].offset < end && pair[0].protection != pair[1].protection
        });
        match clash {
            Some(pair) => Err(MemoryError::SharedPage { offset: pair[1].offset, page: self.page }),
            None => Ok(()),
        }
    }

    /// Asks for something that only makes memory faster or smaller; kernels that lack it say no.
    fn advise(&self, offset: usize, len: usize, advice: Advice) {
        let start = self.base.as_ptr().wrapping_add(offset);
        // SAFETY: the pages are this block's draft; what the callers ask for changes no byte in use.
        let _ = unsafe { rustix::mm::madvise(start.cast(), len, advice) };
    }
}

// SAFETY: the mapping is this block's alone and runs where it is written. `working` gives it out only
// while all of it is readable and writable; `set` synchronises what becomes executable.
unsafe impl Block for LinuxBlock {
    fn commit(&mut self) -> Result<(), MemoryError> {
        self.stage.expect(Stage::Reserved, "commit")?;
        self.stage = Stage::Draft;
        if self.plan.huge != 0 {
            self.advise(0, self.plan.huge, Advice::LinuxHugepage);
        }
        let [_, code, _, data] = self.plan.starts;
        if data - code >= POPULATE {
            self.advise(code, data - code, Advice::LinuxPopulateWrite);
        }
        Ok(())
    }

    fn addresses(&self) -> [usize; 4] {
        Part::ALL.map(|part| self.start(part).addr())
    }

    fn working(&mut self) -> [&mut [u8]; 4] {
        if self.stage != Stage::Draft {
            return Default::default();
        }
        // SAFETY: the parts are disjoint, mapped, writable and borrowed as `self` is; fresh pages are zero.
        Part::ALL
            .map(|part| unsafe { std::slice::from_raw_parts_mut(self.start(part), self.used[part as usize]) })
    }

    fn trim(&mut self, used: [usize; 4]) {
        if self.stage != Stage::Draft {
            return;
        }
        let worth = if self.plan.huge != 0 { HUGE } else { TRIM };
        for part in Part::ALL {
            let index = part as usize;
            self.used[index] = self.used[index].min(used[index]);
            let kept = self.used[index].next_multiple_of(self.page);
            let unused = self.extent(part) - kept;
            if unused >= worth {
                self.advise(self.plan.starts[index] + kept, unused, Advice::LinuxDontNeed);
            }
        }
    }

    fn seal(&mut self, image: &[Segment]) -> Result<(), MemoryError> {
        self.stage.expect(Stage::Draft, "seal")?;
        check_segments(image, self.plan.sizes[Part::Image as usize])?;
        self.check_pages(image)?;
        self.stage = Stage::Sealed;
        for segment in image.iter().filter(|segment| segment.protection != Protection::ReadWrite) {
            let start = segment.offset & !(self.page - 1);
            let end = (segment.offset + segment.size).next_multiple_of(self.page);
            self.set(Part::Image, start, end - start, segment.protection)?;
        }
        self.set(Part::Constants, 0, self.extent(Part::Constants), Protection::Read)?;
        self.set(Part::Code, 0, self.extent(Part::Code), Protection::ReadExecute)
    }

    fn protect(&mut self, segment: Segment) -> Result<(), MemoryError> {
        self.stage.expect(Stage::Sealed, "protect")?;
        let end = segment.end(self.plan.sizes[Part::Image as usize])? & !(self.page - 1);
        let start = segment.offset & !(self.page - 1);
        self.set(Part::Image, start, end.saturating_sub(start), segment.protection)
    }

    fn retire(&mut self) {
        if self.stage != Stage::Retired && self.plan.size != 0 {
            // SAFETY: the mapping is this block's, whose life ends here. The call fails only if the
            // kernel cannot split a mapping; the memory is lost then, and stays protected as it was.
            let _ = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), self.plan.size) };
        }
        self.stage = Stage::Retired;
    }
}

impl Drop for LinuxBlock {
    fn drop(&mut self) {
        self.retire();
    }
}

// SAFETY: the mapping is owned: no one else reads or writes it.
unsafe impl Send for LinuxBlock {}
// SAFETY: a shared block tells its addresses only.
unsafe impl Sync for LinuxBlock {}

/// Makes pages executable where memory that was writable once may never be (`PR_SET_MDWE`, SELinux):
/// their bytes go to a file in memory, which is closed to writing and mapped in their place.
///
/// # Safety
///
/// The pages are readable, and belong to a block that is sealed.
unsafe fn make_executable_by_file(start: *mut u8, len: usize) -> Result<(), MemoryError> {
    let mut file = std::fs::File::from(memory_file()?);
    // SAFETY: the pages are readable, and no one writes them.
    let bytes = unsafe { std::slice::from_raw_parts(start, len) };
    file.write_all(bytes).map_err(|error| MemoryError::Refused {
        os: error.raw_os_error().unwrap_or(0),
        operation: "write to memfd",
    })?;
    let closed = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    rustix::fs::fcntl_add_seals(&file, closed).map_err(refused("seal memfd"))?;
    let (protection, flags) = (ProtFlags::READ | ProtFlags::EXEC, MapFlags::PRIVATE | MapFlags::FIXED);
    // SAFETY: the pages are the block's own, and get the bytes they had.
    unsafe { rustix::mm::mmap(start.cast(), len, protection, flags, &file, 0) }
        .map(drop)
        .map_err(refused("map memfd"))
}

fn memory_file() -> Result<OwnedFd, MemoryError> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    match rustix::fs::memfd_create(c"llext", flags | MemfdFlags::EXEC) {
        // Kernels before 6.3 do not know the flag, and need none.
        Err(Errno::INVAL) => rustix::fs::memfd_create(c"llext", flags),
        made => made,
    }
    .map_err(refused("memfd_create"))
}

fn refused(operation: &'static str) -> impl Fn(Errno) -> MemoryError {
    move |error| MemoryError::Refused { os: error.raw_os_error(), operation }
}

/// Bytes from the global allocator, aligned to 16.
#[derive(Debug)]
pub struct LinuxScratch {
    start: NonNull<u8>,
    layout: Layout,
}

impl LinuxScratch {
    fn new(bytes: usize) -> Option<Self> {
        let layout = Layout::from_size_align(bytes, 16).ok()?;
        let start = match bytes {
            0 => NonNull::dangling(),
            // SAFETY: the layout has a size.
            _ => NonNull::new(unsafe { alloc_zeroed(layout) })?,
        };
        Some(Self { start, layout })
    }
}

impl AsRef<[u8]> for LinuxScratch {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the allocation is initialised, this scratch's alone, and borrowed as `self` is.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.layout.size()) }
    }
}

impl AsMut<[u8]> for LinuxScratch {
    fn as_mut(&mut self) -> &mut [u8] {
        // SAFETY: the allocation is initialised, this scratch's alone, and borrowed as `self` is.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.layout.size()) }
    }
}

impl Drop for LinuxScratch {
    fn drop(&mut self) {
        if self.layout.size() != 0 {
            // SAFETY: allocated with this layout.
            unsafe { dealloc(self.start.as_ptr(), self.layout) };
        }
    }
}

// SAFETY: the allocation is owned: no one else reads or writes it.
unsafe impl Send for LinuxScratch {}
// SAFETY: a shared scratch tells nothing.
unsafe impl Sync for LinuxScratch {}

#[cfg(test)]
mod tests;
