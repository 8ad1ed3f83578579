//! Isolates and objects together, over a network that delays and loses.

mod properties;
mod scenarios;
pub(super) mod world;
