//! A load in scratch memory: it is large, and the stack of a microcontroller small, above all where loads wait for others.

use super::buffer::{Buffer, Scratch};
use super::load::Load;
use crate::error::Error;
use crate::lock::{Locked, RawMutex};
use crate::memory::Memory;
use crate::source::Source;
use core::marker::PhantomData;

/// A load in scratch memory. Both go with this.
pub(super) struct Placed<'r, 'l, M: Memory, R: RawMutex, const N: usize, S: Source> {
    room: Room<'r, 'l, M, R>,
    load: PhantomData<Load<'r, 'l, M, R, N, S>>,
}

impl<'r, 'l, M: Memory, R: RawMutex, const N: usize, S: Source> Placed<'r, 'l, M, R, N, S> {
    /// Takes the room, before there is a load: that lies on the stack at first.
    pub(super) fn room(scratch: &mut Scratch<'r, 'l, M, R>) -> Result<Room<'r, 'l, M, R>, Error> {
        // What scratch memory is aligned to.
        const {
            assert!(
                align_of::<Load<'r, 'l, M, R, N, S>>() <= 16,
                "a source that is aligned to more than 16 bytes is lent: `&mut source`"
            );
        }
        let bytes = scratch.bytes(size_of::<Load<'r, 'l, M, R, N, S>>())?;
        Ok(Room { memory: scratch.memory(), bytes })
    }

    /// Puts a load into what [`room`](Self::room) took.
    pub(super) fn new(
        mut room: Room<'r, 'l, M, R>,
        begin: impl FnOnce() -> Load<'r, 'l, M, R, N, S>,
    ) -> Self {
        let start: *mut Load<'r, 'l, M, R, N, S> = room.start();
        // SAFETY: as many bytes were taken as a load has, aligned to 16.
        unsafe { start.write(begin()) };
        Self { room, load: PhantomData }
    }

    pub(super) fn load(&mut self) -> &mut Load<'r, 'l, M, R, N, S> {
        // SAFETY: `new` wrote it there, where `Memory` leaves it alone, and it is borrowed as `self` is.
        unsafe { &mut *self.room.start() }
    }
}

impl<M: Memory, R: RawMutex, const N: usize, S: Source> Drop for Placed<'_, '_, M, R, N, S> {
    fn drop(&mut self) {
        let load: *mut Load<'_, '_, M, R, N, S> = self.room.start();
        // SAFETY: `new` wrote it there, where `Memory` leaves it alone, and nobody borrows it any more.
        unsafe { load.drop_in_place() }
    }
}

/// Scratch memory that is given back, even where the end of what lay in it panics.
pub(super) struct Room<'r, 'l, M: Memory, R: RawMutex> {
    memory: &'r Locked<R, M>,
    bytes: Buffer<'l, M::Scratch>,
}

impl<M: Memory, R: RawMutex> Room<'_, '_, M, R> {
    /// Where it begins: scratch memory stays where it is.
    fn start<T>(&mut self) -> *mut T {
        self.bytes.bytes_mut().as_mut_ptr().cast()
    }
}

impl<M: Memory, R: RawMutex> Drop for Room<'_, '_, M, R> {
    fn drop(&mut self) {
        // Whoever lent the bytes can read them all, also those that nobody sets, in the gaps of a load.
        self.bytes.bytes_mut().fill(0);
        Scratch::<M, R>::give_back_to(self.memory, &mut self.bytes);
    }
}
