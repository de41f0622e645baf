"""The only code that touches ffmpeg, PyAV and Pillow: pictures and films in, clips, films and subtitles out."""
