//! Isolates and objects together, over a network that delays and loses.

pub(super) mod plans;
mod properties;
mod scenarios;
mod world;
