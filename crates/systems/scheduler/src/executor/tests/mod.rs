mod bench;
mod children;
mod gateway;
mod polling;
