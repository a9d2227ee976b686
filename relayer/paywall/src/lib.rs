//! x
pub mod grant;
pub mod path;
pub mod price;
pub mod rules;
