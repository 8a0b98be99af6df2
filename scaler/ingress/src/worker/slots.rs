//! A list whose places are used again, so that in the steady state nothing is allocated.

/// Values, each found by the number it was given when it was put in.
pub(crate) struct Slots<T> {
    slots: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Slots<T> {
    pub(crate) const fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Puts `value` in and says under which number.
    pub(crate) fn insert(&mut self, value: T) -> usize {
        if let Some(number) = self.free.pop() {
            self.slots[number] = Some(value);
            return number;
        }
        self.slots.push(Some(value));
        self.slots.len() - 1
    }

    /// Takes the value with this number out. The number may be given again.
    pub(crate) fn remove(&mut self, number: usize) -> Option<T> {
        let value = self.slots.get_mut(number)?.take()?;
        self.free.push(number);
        Some(value)
    }

    pub(crate) fn get_mut(&mut self, number: usize) -> Option<&mut T> {
        self.slots.get_mut(number)?.as_mut()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.slots.iter_mut().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_used_again() {
        let mut slots = Slots::new();
        let (a, b) = (slots.insert('a'), slots.insert('b'));
        assert_eq!(slots.remove(a), Some('a'));
        assert_eq!(slots.remove(a), None);
        assert_eq!(slots.insert('c'), a);
        assert_eq!(slots.get_mut(b), Some(&mut 'b'));
        assert_eq!(slots.iter_mut().map(|c| *c).collect::<String>(), "cb");
    }
}
