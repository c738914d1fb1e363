//! What llext holds for a workload: everything it takes from its `Memory`, and from the heap.
//!
//! Bytes are counted as they are asked for: what a page or an allocator rounds up to is not the loader's.

use crate::heap;
use crate::workload::Workload;
use llext::Registry;
use llext::lock::StdRawMutex;
use llext::memory::{Block, Linux, Memory, MemoryError, Part, Request, Segment, Window};
use llext_bench::HOST;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Bytes in use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Use {
    /// Held while the workload is loaded.
    pub(crate) live: usize,
    /// Held at once at any time while it was loading.
    pub(crate) peak: usize,
}

/// The bytes that are counted.
pub(crate) static USE: Counter = Counter { now: AtomicUsize::new(0), peak: AtomicUsize::new(0) };

/// Adds up what is taken and given back.
pub(crate) struct Counter {
    now: AtomicUsize,
    peak: AtomicUsize,
}

impl Counter {
    /// Counts `bytes` as taken.
    pub(crate) fn grow(&self, bytes: usize) {
        let now = self.now.fetch_add(bytes, Relaxed).wrapping_add(bytes);
        self.peak.fetch_max(now, Relaxed);
    }

    /// Counts `bytes` as given back.
    pub(crate) fn shrink(&self, bytes: usize) {
        self.now.fetch_sub(bytes, Relaxed);
    }

    fn restart(&self) {
        self.now.store(0, Relaxed);
        self.peak.store(0, Relaxed);
    }
}

/// Another memory, with a count of the bytes it is asked for.
struct Counted<M>(M);

/// A block of it, and the sizes of its parts.
struct CountedBlock<B> {
    block: B,
    sizes: [usize; 4],
}

/// Scratch of it, and its size.
struct CountedScratch<S> {
    scratch: S,
    size: usize,
}

impl<S: AsMut<[u8]>> AsMut<[u8]> for CountedScratch<S> {
    fn as_mut(&mut self) -> &mut [u8] {
        self.scratch.as_mut()
    }
}

impl<S: AsRef<[u8]>> AsRef<[u8]> for CountedScratch<S> {
    fn as_ref(&self) -> &[u8] {
        self.scratch.as_ref()
    }
}

// SAFETY: every call goes to the other memory unchanged, and its promises are passed on.
unsafe impl<M: Memory> Memory for Counted<M> {
    type Block = CountedBlock<M::Block>;
    type Scratch = CountedScratch<M::Scratch>;

    fn reach(&self) -> Window {
        self.0.reach()
    }

    fn reserve(&mut self, request: &Request) -> Result<Self::Block, MemoryError> {
        let block = self.0.reserve(request)?;
        USE.grow(request.sizes.iter().sum());
        Ok(CountedBlock { block, sizes: request.sizes })
    }

    fn release(&mut self, block: Self::Block) {
        USE.shrink(block.sizes.iter().sum());
        self.0.release(block.block);
    }

    fn scratch(&mut self, size: usize) -> Result<Self::Scratch, MemoryError> {
        let scratch = uncounted(|| self.0.scratch(size))?;
        USE.grow(size);
        Ok(CountedScratch { scratch, size })
    }

    fn clear(scratch: &mut Self::Scratch, bytes: usize) -> usize {
        M::clear(&mut scratch.scratch, bytes)
    }

    fn give_back(&mut self, scratch: Self::Scratch) {
        USE.shrink(scratch.size);
        uncounted(|| self.0.give_back(scratch.scratch));
    }
}

/// Does what takes bytes from the heap that are counted already.
fn uncounted<T>(work: impl FnOnce() -> T) -> T {
    let counted = heap::COUNTED.swap(false, Relaxed);
    let done = work();
    heap::COUNTED.store(counted, Relaxed);
    done
}

// SAFETY: every call goes to the other memory's block unchanged, and its promises are passed on.
unsafe impl<B: Block> Block for CountedBlock<B> {
    fn prepare(&mut self, bytes: usize) -> usize {
        self.block.prepare(bytes)
    }

    fn commit(&mut self) -> Result<(), MemoryError> {
        self.block.commit()
    }

    fn addresses(&self) -> [usize; 4] {
        self.block.addresses()
    }

    fn working(&mut self) -> [&mut [u8]; 4] {
        self.block.working()
    }

    fn trim(&mut self, used: [usize; 4]) {
        for part in Part::ALL {
            let (size, used) = (&mut self.sizes[part as usize], used[part as usize]);
            USE.shrink(size.saturating_sub(used));
            *size = used.min(*size);
        }
        self.block.trim(used);
    }

    fn seal(&mut self, image: &[Segment]) -> Result<(), MemoryError> {
        self.block.seal(image)
    }

    fn protect(&mut self, segment: Segment) -> Result<(), MemoryError> {
        self.block.protect(segment)
    }

    fn retire(&mut self) {
        self.block.retire();
    }
}

/// Loads the object from a slice that is lent, and counts. The first load is not counted: what a process does once
/// is not the workload's.
pub(crate) fn measure(workload: &Workload) -> Result<Use, String> {
    let registry = Registry::<_, StdRawMutex, 1>::new(Counted(Linux::new()));
    let object = workload.object.bytes.as_slice();
    let failed = |error: llext::Error| format!("llext at {}: {error}", workload.shape.name);
    // SAFETY: the code is the generator's; it expects of its host what the host's functions are.
    drop(unsafe { registry.loader(&HOST).load("warm-up", object) }.map_err(failed)?);
    USE.restart();
    heap::COUNTED.store(true, Relaxed);
    // SAFETY: as above.
    let loaded = unsafe { registry.loader(&HOST).load("workload", object) };
    heap::COUNTED.store(false, Relaxed);
    let held = Use { live: USE.now.load(Relaxed), peak: USE.peak.load(Relaxed) };
    loaded.map(drop).map_err(failed)?;
    Ok(held)
}
