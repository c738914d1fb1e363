//! Memory for extensions: who gives it, where it lies, and when it may be written or run.
//!
//! A [`Block`] has a life. [`Memory::reserve`] fixes its addresses; [`Block::commit`] makes it a
//! draft, whose working bytes are written; [`Block::seal`] ends the writing, and only then may its
//! code run; [`Block::retire`] and [`Memory::release`] give it back. What is slow happens on the
//! block, which has one owner; what touches everyone's memory only keeps books.

use core::fmt;

mod cache;
#[cfg(all(feature = "std", target_os = "linux"))]
mod linux;
mod pool;
#[cfg(feature = "critical-section")]
pub mod protect;

pub use llext_link::addr::{Part, Window};

#[cfg(all(test, feature = "std", target_os = "linux", not(any(loom, shuttle))))]
pub(crate) use cache::double as cache_double;
pub use cache::synchronize;
#[cfg(all(feature = "std", target_os = "linux"))]
pub use linux::{Linux, LinuxBlock, LinuxScratch};
#[cfg(feature = "save")]
pub(crate) use pool::Taken;
pub use pool::{Blocks, Pool, PoolBlock, PoolScratch};

/// What a load asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The size of each part in bytes; 0 for a part that is not needed.
    pub sizes: [usize; 4],
    /// The alignment of each part: a power of two.
    pub aligns: [usize; 4],
    /// Where every byte must lie.
    pub window: Window,
}

impl Request {
    /// Refuses alignments that are none; from here on they are powers of two.
    fn check(&self) -> Result<(), MemoryError> {
        for part in Part::ALL {
            let align = self.aligns[part as usize];
            if !align.is_power_of_two() {
                return Err(MemoryError::BadAlignment { part, align });
            }
        }
        Ok(())
    }
}

/// What may be done with memory. Nothing is ever writable and executable at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// It may be read.
    Read,
    /// It may be read and written.
    ReadWrite,
    /// It may be read and run.
    ReadExecute,
}

/// A range of [`Part::Image`] and its protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where it begins, in bytes from the start of the image.
    pub offset: usize,
    /// Its size in bytes.
    pub size: usize,
    /// What may be done with it.
    pub protection: Protection,
}

impl Segment {
    /// Where the segment ends, if it ends inside an image of `limit` bytes.
    fn end(&self, limit: usize) -> Result<usize, MemoryError> {
        let Self { offset, size, .. } = *self;
        let end = offset.checked_add(size).filter(|&end| end <= limit);
        end.ok_or(MemoryError::BadSegment { offset, size, limit })
    }
}

/// Why memory could not be had, or not be treated as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MemoryError {
    /// Not enough memory in one piece.
    OutOfMemory {
        /// The part that found no place.
        part: Part,
        /// The bytes it needs, alignment apart.
        wanted: usize,
        /// The bytes of the largest free piece.
        available: usize,
    },
    /// Not enough memory in one piece for what is needed only while loading.
    OutOfScratch {
        /// The bytes that are needed.
        wanted: usize,
        /// The bytes of the largest free piece, 0 if it is not known.
        available: usize,
    },
    /// No free memory within reach of what the code refers to.
    OutOfReach {
        /// The first address that would do.
        low: u64,
        /// The first address past those that would do.
        high: u64,
        /// The bytes that are needed.
        wanted: usize,
    },
    /// A shared object needs code and data in one piece, and this memory keeps them apart.
    SplitMemory,
    /// The operating system refused.
    Refused {
        /// The number it gave for its reason.
        os: i32,
        /// What it was asked to do.
        operation: &'static str,
    },
    /// An alignment that is not a power of two.
    BadAlignment {
        /// The part it was asked for.
        part: Part,
        /// The alignment.
        align: usize,
    },
    /// A segment that reaches out of the image, or begins before the end of the one before it.
    BadSegment {
        /// Where it begins, in bytes from the start of the image.
        offset: usize,
        /// Its size in bytes.
        size: usize,
        /// The size of the image in bytes.
        limit: usize,
    },
    /// Two segments of different protection meet inside one page.
    SharedPage {
        /// Where the second begins, in bytes from the start of the image.
        offset: usize,
        /// The size of a page in bytes.
        page: usize,
    },
    /// Memory was to be taken away of which some is reserved.
    InUse {
        /// How much, bytes.
        bytes: usize,
    },
    /// Protecting the memory takes more regions than the hardware has.
    OutOfRegions {
        /// How many it takes.
        wanted: usize,
        /// How many there are.
        available: usize,
    },
    /// A block was asked for what it does only earlier in its life, or only later.
    OutOfOrder {
        /// What it was asked to do.
        operation: &'static str,
    },
}

impl fmt::Display for MemoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::OutOfMemory { part, wanted, available } => {
                write!(f, "{part}: out of memory ({available} bytes in one piece, {wanted} needed)")
            }
            Self::OutOfScratch { wanted, available } => {
                write!(f, "scratch: out of memory ({available} bytes in one piece, {wanted} needed)")
            }
            Self::OutOfReach { low, high, wanted } => {
                write!(f, "memory: no free place within reach ({wanted} bytes in {low:#x}..{high:#x})")
            }
            Self::SplitMemory => {
                f.write_str("memory: code and data lie apart (a shared object needs one piece)")
            }
            Self::Refused { os, operation } => write!(f, "{operation}: refused (system error {os})"),
            Self::BadAlignment { part, align } => {
                write!(f, "{part}: bad alignment ({align}, a power of two expected)")
            }
            Self::BadSegment { offset, size, limit } => {
                write!(f, "image: bad segment ({size} bytes at {offset}, the image has {limit})")
            }
            Self::SharedPage { offset, page } => {
                write!(
                    f,
                    "image: segments of different protection share a page (at {offset}, a page has {page} bytes)"
                )
            }
            Self::InUse { bytes } => write!(f, "memory: in use ({bytes} bytes, none expected)"),
            Self::OutOfRegions { wanted, available } => {
                write!(f, "protection: out of regions ({available} there, {wanted} needed)")
            }
            Self::OutOfOrder { operation } => write!(f, "{operation}: out of order"),
        }
    }
}

impl core::error::Error for MemoryError {}

/// Memory that extensions are loaded into.
///
/// The registry calls this under its lock, so every method but construction is short: it keeps
/// books, and leaves filling, protecting and unmapping to the [`Block`].
///
/// # Safety
///
/// * The parts of a block from [`reserve`](Self::reserve) have at least the sizes and alignments
///   asked for, are disjoint from each other and from all else that is in use, lie in the window,
///   and within 2 GiB of each other.
/// * They stay so, wherever the block is moved, until [`Block::retire`], `release` or the end of the
///   block.
/// * What [`scratch`](Self::scratch) gives has at least the size asked for, is aligned to 16 bytes,
///   and stays where it is until it is given back. Till then its bytes are the holder's alone, and `as_mut` gives
///   all of them each time and, after the first, as they were left.
pub unsafe trait Memory {
    /// A reservation.
    type Block: Block;
    /// Bytes that are needed only while loading, aligned to 16.
    type Scratch: AsMut<[u8]> + AsRef<[u8]>;

    /// The run addresses a block can get.
    fn reach(&self) -> Window;

    /// Finds a place for a request and keeps it.
    fn reserve(&mut self, request: &Request) -> Result<Self::Block, MemoryError>;

    /// Takes a block back. A block of another memory is not taken: its memory stays reserved there.
    fn release(&mut self, block: Self::Block);

    /// Bytes for the time of a load. They are zeroed when `as_mut` first gives them out, which is slow
    /// work for outside the lock; `as_ref` may be empty before.
    fn scratch(&mut self, bytes: usize) -> Result<Self::Scratch, MemoryError>;

    /// Does some of what `as_mut` will do: zeroes up to `bytes` bytes of scratch, and returns how many; fewer than `bytes`,
    /// where no more need to be zeroed. So a load that goes forward in steps takes no longer for one than for any other.
    ///
    /// Memory that is zero anyway has nothing to do here.
    fn clear(scratch: &mut Self::Scratch, bytes: usize) -> usize {
        let _ = (scratch, bytes);
        0
    }

    /// Takes scratch back.
    fn give_back(&mut self, scratch: Self::Scratch);
}

/// A reservation of [`Memory`]. Its one owner calls it, outside every lock.
///
/// # Safety
///
/// * [`addresses`](Self::addresses) are those the bytes of [`working`](Self::working) have when the
///   code runs, and never change.
/// * `working` is empty but between `commit` and `seal`, and its slices are the block's alone.
/// * Once `seal` has succeeded, instruction fetch sees the working bytes as they were last written.
pub unsafe trait Block {
    /// Does some of what `commit` will do: clears up to `bytes` bytes, and returns how many; fewer than `bytes`, where no
    /// more need to be cleared. So a load that goes forward in steps takes no longer for one than for any other.
    ///
    /// Memory that is zero anyway has nothing to do here.
    fn prepare(&mut self, bytes: usize) -> usize {
        let _ = bytes;
        0
    }

    /// Makes the reservation a draft: its working bytes are there, and zero, also those that `prepare` was not asked for.
    /// The slow part of [`Memory::reserve`].
    fn commit(&mut self) -> Result<(), MemoryError>;

    /// The run address of each part. That of an empty part means nothing.
    fn addresses(&self) -> [usize; 4];

    /// The bytes of each part, to be written while the block is a draft; empty slices before and after.
    fn working(&mut self) -> [&mut [u8]; 4];

    /// Gives back what lies past `used` bytes of each part, where that is possible and pays. The
    /// working slices end there from now on.
    fn trim(&mut self, used: [usize; 4]);

    /// Ends the writing: code may run, constants are only read, data stays writable, the image is as
    /// the segments tell, ascending, and unchanged between them. After an error the block is good for
    /// nothing but to be retired.
    fn seal(&mut self, image: &[Segment]) -> Result<(), MemoryError>;

    /// Protects one more range of a sealed image; a page that is only begun at its end stays as it
    /// was (RELRO ends at a page, and what follows is data).
    fn protect(&mut self, segment: Segment) -> Result<(), MemoryError>;

    /// Ends the block's life: nothing of it is read, written or run again. The slow part of
    /// [`Memory::release`], which must follow.
    fn retire(&mut self);
}

/// Refuses segments that are not all inside an image of `limit` bytes, in ascending order.
fn check_segments(image: &[Segment], limit: usize) -> Result<(), MemoryError> {
    let mut free = 0;
    for segment in image {
        let Segment { offset, size, .. } = *segment;
        if offset < free {
            return Err(MemoryError::BadSegment { offset, size, limit });
        }
        free = segment.end(limit)?;
    }
    Ok(())
}

/// Where a block is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Reserved,
    Draft,
    Sealed,
    Retired,
}

impl Stage {
    /// Refuses what belongs into another stage.
    fn expect(self, stage: Self, operation: &'static str) -> Result<(), MemoryError> {
        if self == stage { Ok(()) } else { Err(MemoryError::OutOfOrder { operation }) }
    }
}

/// The farthest that two bytes of one block may lie apart.
const SPREAD: u64 = 1 << 31;

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn alignments_are_checked_before_use() {
        let mut request =
            Request { sizes: [0; 4], aligns: [1, 2, 4096, 8], window: Window { low: 0, high: 1 } };
        assert_eq!(request.check(), Ok(()));
        for align in [0, 3, usize::MAX] {
            request.aligns[2] = align;
            assert_eq!(request.check(), Err(MemoryError::BadAlignment { part: Part::Constants, align }));
        }
    }

    #[test]
    fn segments_end_inside_their_image() {
        let segment = |offset, size| Segment { offset, size, protection: Protection::Read };
        assert_eq!(segment(8, 8).end(16), Ok(16));
        for (offset, size) in [(8, 9), (17, 0), (usize::MAX, 2)] {
            let bad = MemoryError::BadSegment { offset, size, limit: 16 };
            assert_eq!(segment(offset, size).end(16), Err(bad));
        }
        assert_eq!(check_segments(&[segment(0, 8), segment(8, 8)], 16), Ok(()));
        let bad = MemoryError::BadSegment { offset: 7, size: 8, limit: 16 };
        assert_eq!(check_segments(&[segment(0, 8), segment(7, 8)], 16), Err(bad));
    }

    #[test]
    fn errors_say_what_and_how_much() {
        let full = MemoryError::OutOfMemory { part: Part::Code, wanted: 640, available: 512 };
        assert_eq!(full.to_string(), "code: out of memory (512 bytes in one piece, 640 needed)");
        let far = MemoryError::OutOfReach { low: 0, high: 0x8000_0000, wanted: 4096 };
        assert_eq!(far.to_string(), "memory: no free place within reach (4096 bytes in 0x0..0x80000000)");
        let system = MemoryError::Refused { os: 12, operation: "mmap" };
        assert_eq!(system.to_string(), "mmap: refused (system error 12)");
        assert_eq!(MemoryError::OutOfOrder { operation: "seal" }.to_string(), "seal: out of order");
    }
}
