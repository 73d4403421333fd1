"""Gateways: one file per neighbour. Each speaks the neighbour's language outside and ours inside, and holds no business."""
