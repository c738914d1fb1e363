//! A list that grows where there is an allocator, and has a few places where there is none.

/// The first `K` have their places.
pub(super) struct List<T, const K: usize> {
    fixed: [Option<T>; K],
    len: usize,
    #[cfg(feature = "alloc")]
    more: alloc::vec::Vec<T>,
}

impl<T: Copy, const K: usize> List<T, K> {
    pub(super) const NEW: Self = Self {
        fixed: [None; K],
        len: 0,
        #[cfg(feature = "alloc")]
        more: alloc::vec::Vec::new(),
    };

    /// Adds one at the end; whether there was room.
    pub(super) fn push(&mut self, item: T) -> bool {
        if let Some(free) = self.fixed.get_mut(self.len) {
            *free = Some(item);
            self.len += 1;
            return true;
        }
        self.push_more(item)
    }

    #[cfg(feature = "alloc")]
    fn push_more(&mut self, item: T) -> bool {
        self.more.push(item);
        true
    }

    #[cfg(not(feature = "alloc"))]
    fn push_more(&mut self, _: T) -> bool {
        false
    }

    /// Takes the last one.
    pub(super) fn pop(&mut self) -> Option<T> {
        #[cfg(feature = "alloc")]
        if let Some(item) = self.more.pop() {
            return Some(item);
        }
        self.len = self.len.checked_sub(1)?;
        self.fixed.get_mut(self.len)?.take()
    }

    fn slots(&mut self) -> impl DoubleEndedIterator<Item = &mut T> {
        let fixed = self.fixed.iter_mut().flatten();
        #[cfg(feature = "alloc")]
        let all = fixed.chain(&mut self.more);
        #[cfg(not(feature = "alloc"))]
        let all = fixed;
        all
    }

    /// The first and the following ones, in the order they were added.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        let fixed = self.fixed.iter().flatten();
        #[cfg(feature = "alloc")]
        let all = fixed.chain(&self.more);
        #[cfg(not(feature = "alloc"))]
        let all = fixed;
        all
    }

    /// Takes the last one that fits; those after it move up.
    pub(super) fn take_last(&mut self, fits: impl Fn(&T) -> bool) -> Option<T> {
        if !self.iter().any(&fits) {
            return None;
        }
        let mut moving = self.pop()?;
        for item in self.slots().rev() {
            if fits(&moving) {
                break;
            }
            moving = core::mem::replace(item, moving);
        }
        Some(moving)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_added_is_taken_first() {
        let mut list = List::<u32, { if cfg!(feature = "alloc") { 2 } else { 8 } }>::NEW;
        (0..6).for_each(|number| assert!(list.push(number)));
        assert_eq!(list.take_last(|number| number % 2 == 0), Some(4));
        assert_eq!(list.take_last(|number| *number > 9), None);
        let left: std::vec::Vec<_> = core::iter::from_fn(|| list.pop()).collect();
        assert_eq!(left, [5, 3, 2, 1, 0]);
    }
}
