package pictures

import "encoding/binary"

// orientationOf returns the EXIF orientation, from 1 to 8, or 1 if there is none.
func orientationOf(data []byte) int {
	const tagOrientation, typeShort, entrySize = 0x0112, 3, 12
	if len(data) > 6 && string(data[:6]) == "Exif\x00\x00" { // some programs add this JPEG prefix to PNG and WebP too
		data = data[6:]
	}
	if data = data[:min(len(data), maxEXIF)]; len(data) < 8 {
		return 1
	}
	var order binary.ByteOrder
	switch string(data[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := int64(order.Uint32(data[4:]))
	if at+2 > int64(len(data)) {
		return 1
	}
	entries := data[at+2:]
	for range order.Uint16(data[at:]) {
		if len(entries) < entrySize {
			break
		}
		if order.Uint16(entries) == tagOrientation && order.Uint16(entries[2:]) == typeShort {
			if value := order.Uint16(entries[8:]); value >= 1 && value <= 8 {
				return int(value)
			}
			break
		}
		entries = entries[entrySize:]
	}
	return 1
}
