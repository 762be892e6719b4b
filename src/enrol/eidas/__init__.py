"""eIDAS certificates under PSD2: facts first, then trust; pure, nothing here reaches out."""
