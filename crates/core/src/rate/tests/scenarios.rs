//! What callers, operators and the object's bill see.
