//! Memory under what clients may do: bounds with room, that catch growth without one and not noise.

mod bed;
mod connections;
mod slow;
