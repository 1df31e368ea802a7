// <seg-sliding-window>
