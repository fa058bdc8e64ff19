//! Pages and live charts over the other boxes' public interfaces: the box in place of Control Center.
