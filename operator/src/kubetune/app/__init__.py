"""The engine: observe, plan, act. It knows ports, never the things behind them."""
